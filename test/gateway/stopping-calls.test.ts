import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, it } from 'vitest';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { RunningGateway } from '../../src/gateway/model.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { type RawTarget, startRawTarget } from '../support/gateway/raw-target.ts';
import { initialize } from '../support/nodes/raw-client.ts';
import { startScriptedAds } from '../support/nodes/scripted-ads.ts';
import { guideConfig, guideJwk, guideToken } from '../support/processes/guide.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { config, configType, target, targetType } from './xds/resources.ts';

const accept = 'application/json, text/event-stream';
const call = { name: 'default/mcp-tool:ask', arguments: {} };

/** A target whose tool asks the user of its client for a name. */
async function startAsking(): Promise<RawTarget> {
  const tool: RawTarget = await startRawTarget(async ({ method }, say) => {
    if (method !== 'tools/call') return { result: {} };
    const requestedSchema = { type: 'object', properties: { name: { type: 'string' } } };
    say('elicitation/create', { mode: 'form', message: 'Name?', requestedSchema }, 'q');
    const { params } = await tool.arrival('answer');
    return { result: { content: [{ type: 'text', text: JSON.stringify(params['result']) }] } };
  });
  return tool;
}

async function start(tool: RawTarget, adsPort: number): Promise<RunningGateway> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(guideJwk));
  const listener = { ...guideConfig.listener, host: '127.0.0.1', port: 0 };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...guideConfig, listener }));
  return startGateway(
    {
      file: '/config/config.json',
      mount: [`/config=${folder}`],
      resolve: [
        `kgateway.kgateway-system.svc.cluster.local:9977=127.0.0.1:${adsPort}`,
        `mcp-tool.default.svc.cluster.local:8080=127.0.0.1:${tool.target('').port}`,
      ],
      list: 'all',
      adminListen: '127.0.0.1:0',
      allowedOrigins: [],
      allowedHosts: [],
      environment: { POD_NAMESPACE: 'default', GW_NAME: 'mcp-gateway' },
    },
    {
      clock: systemClock,
      random: () => 0,
      log: createRecordedLog(),
      losses: { lostLines: 0 },
      stdin: new PassThrough(),
      stdout: new PassThrough(),
    },
  );
}

it('a whole gateway that stops lets the user of a client answer first, refuses what is new, and then is gone', async () => {
  const ads = await startScriptedAds();
  await using tool = await startAsking();
  const gateway = await start(tool, ads.port);
  const control = await ads.stream();
  const address = { host: 'mcp-tool.default.svc.cluster.local', path: '/mcp' };
  control.send({ typeUrl: targetType, nonce: 't1', resources: [target('default/mcp-tool', address)] });
  const rules = [config('default.auth', [{ resource: { id: call.name, type: 0 } }])];
  control.send({ typeUrl: configType, nonce: 'c1', resources: rules });
  await expect.poll(() => gateway.config.targets.size).toBe(1);

  const url = new URL('/mcp', `http://127.0.0.1:${gateway.listener?.port}`);
  const client = new Client({ name: 'test', version: '0' }, { capabilities: { elicitation: { form: {} } } });
  let stopped: Promise<void> | undefined;
  client.setRequestHandler(ElicitRequestSchema, async () => {
    stopped = gateway.stop();
    const headers = { authorization: `Bearer ${guideToken}`, 'content-type': 'application/json', accept };
    const refused = await fetch(url, { method: 'POST', headers, body: JSON.stringify(initialize()) });
    expect(refused.status).toBe(503);
    return { action: 'accept', content: { name: 'I' } };
  });
  const requestInit = { headers: { authorization: `Bearer ${guideToken}` } };
  const transport = new StreamableHTTPClientTransport(url, { requestInit });
  // The types of the package do not support exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0]);
  expect(JSON.stringify((await client.callTool(call)).content)).toContain('accept');
  await stopped;
  await expect(fetch(url)).rejects.toThrow('fetch failed');
  ads.stop();
});
