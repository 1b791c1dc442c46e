import { expect, it } from 'vitest';
import { startRawTarget } from '../support/gateway/raw-target.ts';
import { initialize } from '../support/nodes/raw-client.ts';
import { guideToken } from '../support/processes/guide.ts';
import { startGuide } from '../support/processes/guide-programs.ts';
import { policy, serviceWith } from '../support/worlds/manifests.ts';

it.each(['/sse', '/mcp'] as const)(
  'SIGTERM lets a call at %s end within the grace time, and new requests get 503',
  { timeout: 60_000 },
  async (path) => {
    const answered = Promise.withResolvers<{ readonly result: Readonly<Record<string, unknown>> }>();
    await using target = await startRawTarget(({ method }) =>
      method === 'tools/call' ? answered.promise : { result: {} },
    );
    await using guide = await startGuide([`slow.default.svc.cluster.local:80=127.0.0.1:${target.target('').port}`]);
    const spec = '{ ports: [{ port: 80, appProtocol: kgateway.dev/mcp }] }';
    const allowed = '{ kind: tool, name: "default/slow:work" }';
    await guide.write({
      'slow.yaml': serviceWith('default/slow', spec, 'annotations: { kgateway.dev/mcp-path: /mcp }'),
      'slow-policy.yaml': policy('default/slow', 'mcp-gateway', 'me', allowed),
    });
    const client = await guide.connect(path);
    const calling = client.callTool({ name: 'default/slow:work', arguments: {} });
    await target.arrival('tools/call');

    guide.gateway.signal('SIGTERM');
    await guide.gateway.line('waits for the requests in flight');
    const headers = {
      authorization: `Bearer ${guideToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const body = JSON.stringify(initialize());
    const refused = await fetch(`${guide.url}/mcp`, { method: 'POST', headers, body });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    answered.resolve({ result: { content: [{ type: 'text', text: 'done' }] } });
    expect((await calling).content).toEqual([{ type: 'text', text: 'done' }]);
    expect(await guide.gateway.ended()).toEqual({ code: 0, signal: null });
    await client.close();
  },
);
