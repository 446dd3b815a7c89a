import { expect, test } from 'vitest';
import { createHeartbeats } from '../../src/service/heartbeats.ts';

const BEAT = 1000;

/** @param names workers that are expected from the start */
function watched(hang: number, ...names: string[]) {
  let now = 0;
  const said: string[] = [];
  const told = (what: string) => (worker: string, seconds: number) => said.push(`${worker} ${what} ${seconds}`);
  const beats = createHeartbeats<string>(
    { hang, silent: told('silent'), answers: told('answers'), givenUp: told('given up') },
    () => now,
  );
  for (const name of names) {
    beats.expect(name);
    beats.serves(name);
  }
  beats.beat();
  return {
    beats,
    said,
    /** @param heard who says something before each beat */
    pass(times: number, heard: readonly string[] = [], each = BEAT) {
      for (let i = 0; i < times; i++) {
        for (const name of heard) beats.heard(name);
        now += each;
        beats.beat();
      }
    },
  };
}

test('silent for 5 s it is not ready, for 10 s told, for timeouts.hang given up, each once; the others are not', () => {
  const { beats, said, pass } = watched(30, 'a', 'b');
  pass(4, ['b']);
  expect([beats.isSilent('a'), beats.isSilent('b')]).toEqual([false, false]);
  pass(1, ['b']);
  expect([beats.isSilent('a'), beats.isSilent('b')]).toEqual([true, false]);
  pass(4, ['b']);
  expect(said).toEqual([]);
  pass(1, ['b']);
  expect(said).toEqual(['a silent 10']);
  pass(19, ['b']);
  expect(said).toEqual(['a silent 10']);
  pass(5, ['b']);
  expect(said).toEqual(['a silent 10', 'a given up 30']);
});

test('one that says something again was not given up, and is told as silent anew', () => {
  const { beats, said, pass } = watched(30, 'a');
  pass(12);
  beats.heard('a');
  expect([said, beats.isSilent('a')]).toEqual([['a silent 10', 'a answers 12'], false]);
  beats.heard('a');
  pass(30);
  expect(said.slice(2)).toEqual(['a silent 10']);
});

test('a short silence that nobody was told of is no news when it ends', () => {
  const { said, pass } = watched(30, 'a');
  for (let i = 0; i < 20; i++) {
    pass(9);
    pass(1, ['a']);
  }
  expect(said).toEqual([]);
});

test.each([60_000, 3_600_000, 86_400_000])(
  'a machine or a supervisor that stood still for %d ms takes nobody for silent when it goes on',
  (suspended) => {
    const { beats, said, pass } = watched(30, 'a', 'b');
    pass(3, ['a', 'b']);
    pass(1, [], suspended);
    expect([beats.isSilent('a'), beats.isSilent('b'), said]).toEqual([false, false, []]);
    // Again and again, each beat being late by far: still none of them, as long as they are heard in between.
    for (let i = 0; i < 10; i++) {
      pass(2, [], suspended);
      pass(1, ['a', 'b']);
    }
    expect(said).toEqual([]);
    // One that does not go on is found out all the same.
    pass(10, ['b']);
    expect(said).toEqual(['a silent 10']);
  },
);

test.each([3, 5, 9, 14])(
  'with timeouts.hang of %d it is told before it is given up, and never given up sooner',
  (hang) => {
    const { said, pass } = watched(hang, 'a');
    pass(hang - 1);
    expect(said).toEqual([`a silent ${Math.min(10, Math.ceil((hang * 2) / 3))}`]);
    pass(1);
    expect(said.slice(1)).toEqual([`a given up ${hang}`]);
  },
);

test('at a stop nobody waits longer for a silent one than until it is told', () => {
  const { beats, said, pass } = watched(300, 'a', 'b');
  pass(12, ['b']);
  beats.hurry();
  pass(1, ['b']);
  expect(said).toEqual(['a silent 10', 'a given up 13']);
});

test('one that has ended is forgotten', () => {
  const { beats, said, pass } = watched(30, 'a');
  pass(20);
  beats.forget('a');
  beats.heard('a');
  pass(40);
  expect([said, beats.isSilent('a')]).toEqual([['a silent 10'], false]);
});

test('one that begins has a minute, or timeouts.hang where that is longer, and is not told before', () => {
  for (const [hang, longest] of [
    [5, 60],
    [90, 90],
  ] as const) {
    const { beats, said, pass } = watched(hang);
    beats.expect('a');
    pass(longest);
    expect(said).toEqual([]);
    pass(1);
    expect(said).toEqual([`a given up ${longest}`]);
  }
});
