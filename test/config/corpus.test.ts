import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadResult } from '../../src/config/load-config.ts';
import { loadFile } from '../../src/config/load-config.ts';
import { printJson, printText } from '../../src/config/print-diagnostic.ts';
import { checkLoaded } from '../../src/service/check-config.ts';
import { cpuTime } from '../cpu-time.ts';
import { verdicts } from './corpus-verdicts.ts';
import { corpusFolder, writeFiles } from './written.ts';

interface CorpusFile {
  readonly file: string;
  readonly wellFormed: boolean;
}

const corpus: readonly CorpusFile[] = existsSync(corpusFolder)
  ? JSON.parse(readFileSync(join(corpusFolder, 'index.json'), 'utf8'))
  : [];
const xmlCodes = new Set(['LG1002', 'LG1003', 'LG1005', 'LG1006']);

function expectPlaces({ diagnostics, sources }: LoadResult): void {
  for (const { code, span } of diagnostics) {
    const length = sources.get(span.file)?.length ?? 0;
    expect([code, span.start >= 0 && span.start <= span.end && span.end <= length]).toEqual([code, true]);
  }
}

describe('the corpus', () => {
  it('is read without a crash, every finding in its file', () => {
    for (const { file, wellFormed } of corpus) {
      const result = loadFile(join(corpusFolder, file));
      expectPlaces(result);
      const fault = result.diagnostics.some(({ code }) => xmlCodes.has(code));
      expect([file, fault]).toEqual([file, !wellFormed]);
      if (result.config === undefined) expect(fault).toBe(true);
      printText(result.diagnostics, result.sources, { colour: true });
    }
  });

  it('is told of in order of place', () => {
    for (const { file } of corpus) {
      const starts = checkLoaded(loadFile(join(corpusFolder, file))).diagnostics.map(({ span }) => span.start);
      expect([file, starts]).toEqual([file, starts.toSorted((one, other) => one - other)]);
    }
  });

  it('has just the errors that the table explains', () => {
    const found = corpus.map(({ file }) => {
      const { diagnostics } = checkLoaded(loadFile(join(corpusFolder, file)));
      const codes = new Set(diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code));
      return [file.slice(0, 3), [...codes].sort().join(' ') || 'accepted'];
    });
    expect(Object.fromEntries(found)).toEqual(corpus.length > 0 ? Object.fromEntries(verdicts) : {});
  });
});

describe('robustness', () => {
  const samples = corpus
    .filter(({ file }) => /^(003|033|066|129|175|177|178|160)/.test(file))
    .map(({ file }) => readFileSync(join(corpusFolder, file)));
  const folder = () => writeFiles({ f: '' });

  it('random bytes and mutated files neither throw nor take long', () => {
    const path = join(folder(), 'f');
    const mutated = fc
      .record({
        sample: fc.constantFrom(...(samples.length > 0 ? samples : [Buffer.from('<rules />')])),
        edits: fc.array(
          fc.record({
            at: fc.double({ min: 0, max: 1, noNaN: true }),
            cut: fc.nat(40),
            put: fc.uint8Array({ maxLength: 6 }),
          }),
          { maxLength: 4 },
        ),
      })
      .map(({ sample, edits }) => {
        let bytes: Uint8Array = sample;
        for (const { at, cut, put } of edits) {
          const start = Math.floor(at * bytes.length);
          bytes = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + cut)]);
        }
        return bytes;
      });
    fc.assert(
      fc.property(
        fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) }, { weight: 4, arbitrary: mutated }),
        (bytes) => {
          writeFileSync(path, bytes);
          const began = performance.now();
          const result = loadFile(path);
          expectPlaces(result);
          JSON.parse(printJson(result.diagnostics, result.sources, [path]));
          expect(performance.now() - began).toBeLessThan(1000);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('reads 10,000 rules quickly', () => {
    const rule = (number: number) =>
      `<rule name="r${number}" stopProcessing="true"><match url="^a${number}/(.*)" /><conditions><add input="{HTTP_HOST}" pattern="^h${number}\\.x$" /></conditions>` +
      `<action type="Rewrite" url="https://pool/{R:1}?a=1&amp;b=2" /></rule>\n`;
    const path = join(
      writeFiles({ f: `<rules>${Array.from({ length: 10_000 }, (_, number) => rule(number)).join('')}</rules>` }),
      'f',
    );
    const took = cpuTime(() => loadFile(path)).milliseconds;
    const { config, diagnostics } = loadFile(path);
    expect(diagnostics).toEqual([]);
    expect(config?.sites[0]?.scopes[0]?.ruleSet.rules).toHaveLength(10_000);
    expect(took).toBeLessThan(2000);
  });

  it('reports 10,000 faults quickly', () => {
    const path = join(writeFiles({ f: `<rules>${'<rule name="a" nam="b" />\n'.repeat(10_000)}</rules>` }), 'f');
    const { diagnostics, sources } = loadFile(path);
    expect(diagnostics.reduce((sum, { more = 1 }) => sum + more, 0)).toBe(19_999);
    expect(diagnostics.map(({ more }) => more).filter((more) => more !== undefined)).toEqual([9_900, 9_899]);
    expect(cpuTime(() => printText(diagnostics, sources)).milliseconds).toBeLessThan(5000);
  });
});
