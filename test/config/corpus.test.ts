import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import type { LoadResult } from '../../src/config/load-config.ts';
import { loadFile } from '../../src/config/load-config.ts';
import { printJson, printText } from '../../src/config/print-diagnostic.ts';
import { checkPublication } from '../../src/publication/check-publication.ts';
import { checkLoaded } from '../../src/service/check-config.ts';
import { cpuTime } from '../cpu-time.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { fileSets, type RuleFile } from './rule-files.ts';
import { writeFiles } from './written.ts';

function expectPlaces({ diagnostics, sources }: LoadResult): void {
  for (const { code, span } of diagnostics) {
    const length = sources.get(span.file)?.length ?? 0;
    expect([code, span.start >= 0 && span.start <= span.end && span.end <= length]).toEqual([code, true]);
  }
}

const written = ({ name, bytes }: RuleFile): string => join(writeFiles({ [name]: bytes }), name);

/** Lints over several rules, loops that explode, and rules behind a global rule that takes everything. */
const OF_THE_WHOLE = /^LG23|^LG2201|^LG2236/;

const XML_CODES = /LG100[2356]/;

for (const { title, files } of fileSets) {
  describe.runIf(files.length > 0)(title, () => {
    it('are read without a crash, every finding in its file', () => {
      for (const file of files) {
        const result = loadFile(written(file));
        expectPlaces(result);
        const fault = result.diagnostics.some(({ code }) => XML_CODES.test(code));
        expect([file.name, fault]).toEqual([file.name, XML_CODES.test(file.verdict)]);
        if (result.config === undefined) expect(fault).toBe(true);
        printText(result.diagnostics, result.sources, { colour: true });
      }
    });

    it('are told of in order of place', () => {
      for (const file of files) {
        const starts = checkLoaded(loadFile(written(file))).diagnostics.map(({ span }) => span.start);
        expect([file.name, starts]).toEqual([file.name, starts.toSorted((one, other) => one - other)]);
      }
    });

    it('have just the errors that the table explains', () => {
      const found = files.map((file) => {
        const { diagnostics } = checkLoaded(loadFile(written(file)));
        const codes = new Set(diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code));
        return [file.name, [...codes].sort().join(' ') || 'accepted'];
      });
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(files.map(({ name, verdict }) => [name, verdict])));
    });

    it('raise no false alarms of what only the whole can tell', () => {
      const found = files.flatMap((file) => {
        const { config } = loadFile(written(file));
        const diagnostics: Diagnostic[] = [];
        if (config) checkPublication(config, reportInto(diagnostics));
        return diagnostics.filter(({ code }) => OF_THE_WHOLE.test(code)).map(({ code }) => `${file.name} ${code}`);
      });
      expect(found).toEqual([]);
    });
  });
}

describe('robustness', () => {
  const samples = fileSets
    .flatMap(({ files }) => files)
    .filter(({ verdict }) => verdict === 'accepted')
    .map(({ bytes }) => bytes);
  const folder = () => writeFiles({ f: '' });

  it('random bytes and mutated files neither throw nor take long', () => {
    const path = join(folder(), 'f');
    const mutated = fc
      .record({
        sample: fc.constantFrom(...samples),
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
          const { value: result, milliseconds } = cpuTime(() => loadFile(path));
          expectPlaces(result);
          JSON.parse(printJson(result.diagnostics, result.sources, [path]));
          expect(milliseconds).toBeLessThan(1000);
        },
      ),
      { numRuns: runs(400) },
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
