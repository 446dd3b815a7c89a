/** A container's standard output is a pipe, unlike the socket that Node gives to a child. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const module = pathToFileURL(join(import.meta.dirname, '../../src/proxy/access-log.ts')).href;

test('the access log opens on a pipe and writes whole lines', () => {
  const script = `
    const { openAccessLog } = await import(${JSON.stringify(module)});
    const log = openAccessLog({ format: 'json', fields: ['cs-uri-stem'] }, {});
    for (let i = 0; i < 1000; i++) log.write({ stem: '/' + i });
    await log.close();`;
  const args = ['-c', '"$0" --input-type=module --eval "$1" | cat', process.execPath, script];
  const lines = execFileSync('sh', args, { encoding: 'utf8' }).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
    Array.from({ length: 1000 }, (_, i) => ({ 'cs-uri-stem': `/${i}` })),
  );
});
