/** A service whose log reader goes away serves on, and still ends in order. */
import { expect, test } from 'vitest';
import { publish } from './published.ts';

test.each([1, 2])('%d workers: readers of both outputs are gone', async (workers) => {
  const { service, get } = await publish({
    workers,
    log: { level: 'trace', access: { format: 'json' } },
    timeouts: { drain: 600 },
  });
  service.child.stdout?.destroy();
  service.child.stderr?.destroy();
  const pids = service.workers();
  for (let i = 0; i < 60; i++) expect((await get()).status).toBe(200);
  expect((await get('/', { host: 'www.example.com', servername: 'meet.contoso.com' })).status).toBe(400);
  expect(service.workers()).toEqual(pids);
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
});
