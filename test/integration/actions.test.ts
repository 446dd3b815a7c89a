import { describe, expect, test } from 'vitest';
import { ask, askOver, openHttp2, type Protocol } from './clients.ts';
import { publishLync } from './lync.ts';

const RULES = `
  <rule name="abort" stopProcessing="true"><match url="^abort" /><action type="AbortRequest" /></rule>
  <rule name="respond" stopProcessing="true">
    <match url="^gone/(.*)" />
    <action type="CustomResponse" statusCode="410" subStatusCode="7" statusReason="Gone for good" statusDescription="no more {R:1}" />
  </rule>
  <rule name="redirect" stopProcessing="true">
    <match url="^old/(.*)" />
    <action type="Redirect" url="/new/{R:1}" redirectType="Found" />
  </rule>
  <rule name="headers">
    <match url="^echo/headers" />
    <serverVariables>
      <set name="HTTP_X_BY_RULE" value="{HTTP_HOST}" />
      <set name="HTTP_ACCEPT_ENCODING" value="" />
    </serverVariables>
    <action type="None" />
  </rule>
  <rule name="computed" stopProcessing="true">
    <match url="^computed/(.*)" />
    <action type="Rewrite" url="https://{R:1}/x" />
  </rule>`;

describe.each<Protocol>(['HTTP/1.1', 'HTTP/2'])('%s', (protocol) => {
  const publish = async () => {
    const lync = await publishLync({ rules: RULES });
    const asked = { protocol, port: lync.httpsPort, host: 'webext.contoso.com', ca: lync.ca };
    return { lync, asked };
  };

  test('CustomResponse: status, reason and the description as plain text', async () => {
    const { asked } = await publish();
    const told = await ask({ ...asked, path: '/gone/%3Cscript%3E' });
    expect(told.status).toBe(410);
    expect(told.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(told.body.toString()).toBe('no more <script>');
  });

  test('Redirect: an absolute Location, as IIS makes it, with the query', async () => {
    const { asked } = await publish();
    const told = await ask({ ...asked, path: '/old/a%20b?c=d' });
    expect(told.status).toBe(302);
    expect(told.headers.location).toBe('https://webext.contoso.com/new/a%20b?c=d');
  });

  test('server variables become headers, an empty one removes its header', async () => {
    const { lync, asked } = await publish();
    await ask({ ...asked, path: '/echo/headers', headers: { 'accept-encoding': 'gzip' } });
    const headers = lync.frontEnd.requests.all[0]?.headers.map(([name, value]) => [name.toLowerCase(), value]);
    expect(headers).toContainEqual(['x-by-rule', 'webext.contoso.com']);
    expect(headers?.map(([name]) => name)).not.toContain('accept-encoding');
  });

  test('a computed host is 403, and nothing is asked', async () => {
    const { lync, asked } = await publish();
    expect((await ask({ ...asked, path: '/computed/169.254.169.254' })).status).toBe(403);
    expect(lync.frontEnd.requests.all).toEqual([]);
  });

  test('a computed host that is a farm is served', async () => {
    const { lync, asked } = await publish();
    await ask({ ...asked, path: '/computed/meet.contoso.com' });
    expect(lync.frontEnd.requests.all.map(({ target }) => target)).toEqual(['/x']);
  });
});

test('AbortRequest closes the connection of HTTP/1.1', async () => {
  const { httpsPort, ca } = await publishLync({ rules: RULES });
  await expect(
    ask({ protocol: 'HTTP/1.1', port: httpsPort, host: 'webext.contoso.com', ca, path: '/abort' }),
  ).rejects.toThrow(/hang up|ECONNRESET/);
});

test.each(['GET', 'HEAD', 'POST'])(
  'AbortRequest resets the stream of HTTP/2, and its neighbours go on: %s',
  async (method) => {
    const { httpsPort, ca } = await publishLync({ rules: RULES });
    const asked = { protocol: 'HTTP/2' as const, port: httpsPort, host: 'webext.contoso.com', ca };
    const session = openHttp2(asked);
    const neighbour = askOver(session, { ...asked, path: '/ucwa/v1/applications/1/events?timeout=1' });
    // Of HEAD Node ends our side of the stream before there is an answer.
    await expect(askOver(session, { ...asked, method, path: '/abort' })).rejects.toThrow(/reset/);
    expect((await neighbour).status).toBe(200);
  },
);
