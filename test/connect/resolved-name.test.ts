/** A name in use, with time in the hands of the test: when it is asked for, what is kept, and who is told. */
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NameAnswer, Resolver } from '../../src/connect/resolve.ts';
import { GONE_MS, LAST_GOOD_MS, ResolvedName } from '../../src/connect/resolved-name.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'], now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;

/** A resolver that waits for the test to say what comes. */
function nameInUse() {
  const open: { resolve: (answer: NameAnswer) => void; reject: (error: Error) => void }[] = [];
  let questions = 0;
  const resolver: Resolver = {
    fixed: () => undefined,
    ask: () => {
      questions++;
      return new Promise((resolve, reject) => open.push({ resolve, reject }));
    },
    close: () => undefined,
  };
  const lines: { msg: string; level: number }[] = [];
  const log = pino({ level: 'info', base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const name = new ResolvedName('fe01', resolver, log);
  const changes: string[][] = [];
  name.watch((addresses) => changes.push([...addresses]));
  const settle = async (act: (each: (typeof open)[number]) => void) => {
    for (const each of open.splice(0)) act(each);
    await vi.advanceTimersByTimeAsync(0);
  };
  return {
    name,
    changes,
    lines,
    questions: () => questions,
    found: async () => (await name.find()).map(({ address }) => address),
    tend: () => name.tend(performance.now()),
    answer: (addresses: readonly string[], more: Partial<NameAnswer> = {}) =>
      settle(({ resolve }) =>
        resolve({
          addresses: addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          ttl: undefined,
          untold: undefined,
          ...more,
        }),
      ),
    fail: (code: string) => settle(({ reject }) => reject(Object.assign(new Error(code), { code }))),
  };
}

type NameInUse = ReturnType<typeof nameInUse>;

async function known(addresses: readonly string[], more: Partial<NameAnswer> = {}): Promise<NameInUse> {
  const used = nameInUse();
  const first = used.found();
  await used.answer(addresses, more);
  expect(await first).toEqual(addresses);
  return used;
}

const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

describe('when it is asked for', () => {
  test('once for all that want it at the same time', async () => {
    const used = nameInUse();
    const all = Array.from({ length: 100 }, () => used.found());
    used.tend();
    expect(used.questions()).toBe(1);
    await used.answer(['10.0.0.1']);
    expect(await Promise.all(all)).toEqual(Array(100).fill(['10.0.0.1']));
    expect(used.questions()).toBe(1);
  });

  test.each([
    ['nobody says how long it holds', undefined, 10_000],
    ['it holds for no time at all', 0, 1000],
    ['it holds for 5 s', 5, 5000],
    ['it holds for a day', 86_400, 30_000],
  ])('in the background, where %s', async (_, ttl, pause) => {
    const used = await known(['10.0.0.1'], { ttl });
    await later(pause - 1);
    used.tend();
    await used.found();
    expect(used.questions()).toBe(1);
    await later(1);
    used.tend();
    used.tend();
    expect(used.questions()).toBe(2);
    // Who wants it meanwhile does not wait.
    expect(await used.found()).toEqual(['10.0.0.1']);
  });

  test('at most once a second, however many connections cannot be made (R20)', async () => {
    const used = await known(['10.0.0.1']);
    expect(used.name.again(used.name.version)).toBe(false);
    await later(1000);
    const both = [used.name.again(used.name.version), used.name.again(used.name.version)];
    expect(used.questions()).toBe(2);
    await used.answer(['10.0.0.1']);
    expect(await Promise.all(both)).toEqual([false, false]);
    expect(used.name.again(used.name.version)).toBe(false);
    expect(used.questions()).toBe(2);
  });

  test('at most once a second, where it was never known', async () => {
    const used = nameInUse();
    const first = used.found();
    await Promise.all([
      expect(first).rejects.toMatchObject({ kind: 'nameNotResolved', status: 502, subStatus: 3, win32: 12007 }),
      used.fail('ENOTFOUND'),
    ]);
    await later(999);
    await expect(used.found()).rejects.toMatchObject({ kind: 'nameNotResolved' });
    expect(used.questions()).toBe(1);
    await later(1);
    const again = used.found();
    await used.answer(['10.0.0.1']);
    expect(await again).toEqual(['10.0.0.1']);
  });

  test('less and less often while nobody answers', async () => {
    const used = await known(['10.0.0.1']);
    await later(10_000);
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      used.tend();
      await used.fail('ESERVFAIL');
      const asked = used.questions();
      let waited = 0;
      for (; used.questions() === asked; waited += 1000) {
        await later(1000);
        used.tend();
      }
      pauses.push(waited / 1000);
    }
    expect(pauses).toEqual([2, 4, 8, 16, 30, 30, 30]);
    // One line when it begins, one when it is over.
    await used.answer(['10.0.0.1']);
    expect(used.lines.map(({ msg }) => msg)).toEqual([
      'the name of a server does not resolve, and its last addresses are used: ESERVFAIL',
      'the name of a server resolves again',
    ]);
  });
});

describe('who waits', () => {
  test('nobody, where it was in use a moment ago, even if DNS says nothing any more', async () => {
    const used = await known(['10.0.0.1']);
    await later(19_999);
    expect(await used.found()).toEqual(['10.0.0.1']);
    expect(used.questions()).toBe(2);
  });

  test('where it was not in use: until the answer, or 2 s, together with all others', async () => {
    const used = await known(['10.0.0.1']);
    await later(20_000);
    const fresh = used.found();
    await used.answer(['10.0.0.2']);
    expect(await fresh).toEqual(['10.0.0.2']);

    await later(20_000);
    const done = vi.fn();
    const first = used.found();
    void first.then(done);
    await later(1999);
    expect(done).not.toHaveBeenCalled();
    const second = used.found();
    await later(1);
    expect(await Promise.all([first, second])).toEqual([['10.0.0.2'], ['10.0.0.2']]);
  });

  test('a request whose connection could not be made: 1 s', async () => {
    const used = await known(['10.0.0.1']);
    await later(1000);
    const again = used.name.again(used.name.version);
    await later(1000);
    expect(await again).toBe(false);
    await used.answer(['10.0.0.2']);
    expect(used.name.again(0)).toBe(true);
  });
});

describe('what is kept', () => {
  test.each(['ESERVFAIL', 'ETIMEOUT', 'EAI_AGAIN', 'ECONNREFUSED'])(
    '%s: the last addresses, for an hour',
    async (code) => {
      const used = await known(['10.0.0.1', 'fd00::1']);
      for (let passed = 0; passed < LAST_GOOD_MS; passed += MINUTE) {
        expect(await used.found()).toEqual(['10.0.0.1', 'fd00::1']);
        await later(MINUTE);
        used.tend();
        await used.fail(code);
      }
      await expect(used.found()).rejects.toMatchObject({
        kind: 'nameNotResolved',
        reason: expect.stringContaining(code),
      });
      // Nobody said that they are wrong: connections live on.
      expect(used.changes).toEqual([]);
    },
  );

  test.each(['ENOTFOUND', 'ENODATA'])('%s: for five minutes, and then connections end', async (code) => {
    const used = await known(['10.0.0.1']);
    for (let passed = 0; passed <= GONE_MS; passed += MINUTE) {
      expect(await used.found()).toEqual(['10.0.0.1']);
      await later(MINUTE);
      used.tend();
      await used.fail(code);
    }
    expect(used.changes).toEqual([[]]);
    await expect(used.found()).rejects.toMatchObject({ kind: 'nameNotResolved' });
    await later(1000);
    const back = used.found();
    await used.answer(['10.0.0.2']);
    expect(await back).toEqual(['10.0.0.2']);
  });

  test('a name that is there again after a moment: nothing happens', async () => {
    const used = await known(['10.0.0.1']);
    for (let i = 0; i < 20; i++) {
      await later(MINUTE);
      used.tend();
      await (i % 4 === 3 ? used.answer(['10.0.0.1']) : used.fail('ENOTFOUND'));
      expect(await used.found()).toEqual(['10.0.0.1']);
    }
    expect(used.changes).toEqual([]);
  });

  test('addresses of the family that could not be asked for', async () => {
    const used = await known(['10.0.0.1', 'fd00::1']);
    await later(10_000);
    used.tend();
    await used.answer(['10.0.0.2'], { untold: 6 });
    expect(await used.found()).toEqual(['10.0.0.2', 'fd00::1']);
    // Each for no longer than an hour.
    for (let passed = 0; passed < LAST_GOOD_MS; passed += MINUTE) {
      await later(MINUTE);
      used.tend();
      await used.answer(['10.0.0.2'], { untold: 6 });
    }
    expect(await used.found()).toEqual(['10.0.0.2']);
  });
});

describe('who is told', () => {
  test('of other addresses, but not of another order', async () => {
    const used = await known(['10.0.0.1', '10.0.0.2']);
    const turn = async (addresses: readonly string[]) => {
      await later(10_000);
      used.tend();
      await used.answer(addresses);
    };
    await turn(['10.0.0.2', '10.0.0.1']);
    expect(used.changes).toEqual([]);
    await turn(['10.0.0.2', '10.0.0.3']);
    expect(used.changes).toEqual([['10.0.0.2', '10.0.0.3']]);
    expect([used.name.has('10.0.0.1'), used.name.has('10.0.0.3')]).toEqual([false, true]);
    expect(used.lines).toEqual([
      expect.objectContaining({ before: ['10.0.0.2', '10.0.0.1'], now: ['10.0.0.2', '10.0.0.3'] }),
    ]);
  });

  test('nobody of how a question ended that nobody needs any more', async () => {
    const used = await known(['10.0.0.1']);
    await later(10_000);
    used.tend();
    used.name.close();
    await used.fail('ECANCELLED');
    expect(used.lines).toEqual([]);
  });
});

test('an address of hosts is never asked for', async () => {
  const resolver: Resolver = {
    fixed: () => ({ address: '10.0.0.9', family: 4 }),
    ask: () => expect.fail('it was asked'),
    close: () => undefined,
  };
  const name = new ResolvedName('fe01', resolver, pino({ level: 'silent' }));
  expect(await name.find()).toEqual([{ address: '10.0.0.9', family: 4 }]);
  await later(MINUTE);
  name.tend(performance.now());
  expect(name.again(name.version)).toBe(false);
});
