import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../src/edges.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { GatewayOptions, RunningGateway } from '../../src/gateway/model.ts';
import { createRecordedLog, type RecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { type RawTarget, startRawTarget } from '../support/gateway/raw-target.ts';
import { type ScriptedAds, startScriptedAds } from '../support/nodes/scripted-ads.ts';
import { guideConfig, guideJwk, guideToken } from '../support/processes/guide.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { config, configType, target, targetType } from './xds/resources.ts';

let ads: ScriptedAds;
let tool: RawTarget;
let log: RecordedLog;
let folder: string;
beforeEach(async () => {
  ads = await startScriptedAds();
  tool = await startRawTarget(() => ({ result: { content: [{ type: 'text', text: '# Markdown' }] } }));
  folder = temporaryFolder();
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(guideJwk));
  const listener = { ...guideConfig.listener, host: '127.0.0.1', port: 0 };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...guideConfig, listener }));
  onTestFinished(async () => {
    ads.stop();
    await tool[Symbol.asyncDispose]();
  });
});

async function start(change: Partial<GatewayOptions> = {}, clock: Clock = systemClock): Promise<RunningGateway> {
  log = createRecordedLog();
  const gateway = await startGateway(
    {
      file: '/config/config.json',
      mount: [`/config=${folder}`],
      resolve: [
        `kgateway.kgateway-system.svc.cluster.local:9977=127.0.0.1:${ads.port}`,
        `mcp-tool.default.svc.cluster.local:8080=127.0.0.1:${tool.target('').port}`,
      ],
      list: 'all',
      adminListen: '127.0.0.1:0',
      allowedOrigins: [],
      allowedHosts: [],
      environment: { POD_NAMESPACE: 'default', GW_NAME: 'mcp-gateway' },
      state: join(folder, 'state'),
      ...change,
    },
    { clock, random: Math.random, log, losses: { lostLines: 0 }, stdin: new PassThrough(), stdout: new PassThrough() },
  );
  onTestFinished(gateway.stop);
  return gateway;
}

const resources = [target('default/mcp-tool', { host: 'mcp-tool.default.svc.cluster.local', path: '/mcp' })];
const everything = config('default.auth', [{ resource: { id: '*', type: 0 } }]);
const call = { name: 'default/mcp-tool:convert_to_markdown', arguments: {} };

async function connect({ listener }: RunningGateway): Promise<Client> {
  const client = new Client({ name: 'test', version: '0' });
  const requestInit = { headers: { authorization: `Bearer ${guideToken}` } };
  const url = new URL(`http://127.0.0.1:${listener?.port}/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  onTestFinished(() => client.close());
  return client;
}

async function page({ admin }: RunningGateway, path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${admin.port}${path}`)).text();
}

/** A gateway that was served the guide's target and a policy, and was stopped then, as the control plane was. */
async function servedOnce(): Promise<void> {
  const gateway = await start();
  const stream = await ads.stream();
  for (const _ of ['Target', 'Config']) await stream.request();
  stream.send({ typeUrl: targetType, nonce: 't1', resources });
  await stream.request();
  stream.send({ typeUrl: configType, nonce: 'c1', resources: [everything] });
  await stream.request();
  ads.stop();
  await gateway.stop();
}

/** The clock of the system, until a day passes at once for whoever looks at ages every half minute. */
function clockOfAges(): { readonly clock: Clock; passDay(): void } {
  const looks: (() => void)[] = [];
  let passed = 0;
  return {
    clock: {
      ...systemClock,
      now: () => systemClock.now() + passed,
      after(milliseconds, run) {
        if (milliseconds === 30_000) looks.push(run);
        return systemClock.after(milliseconds, run);
      },
    },
    passDay() {
      passed = 24 * 3_600_000;
      for (const look of looks.splice(0)) look();
    },
  };
}

describe('a gateway that is restarted while the control plane is away', () => {
  it('is ready, serves what was allowed, and says on its pages that this is of before', async () => {
    await servedOnce();
    const gateway = await start();
    expect(await page(gateway, '/readyz')).toBe('ok\n');
    expect(await (await connect(gateway)).callTool(call)).toMatchObject({ content: [{ text: '# Markdown' }] });
    const { controlPlane } = JSON.parse(await page(gateway, '/targets'));
    expect(controlPlane.lastGood).toMatchObject({ kinds: ['Target', 'Config'], ageSeconds: expect.any(Number) });
    expect(await page(gateway, '/metrics')).toContain('gatehouse_gateway_last_good_total{event="restored"} 1');
    expect(log.lines.find(({ message }) => message.startsWith('last-good state is in force'))?.level).toBe('warn');
  });

  it('asks for everything when the control plane is back, and its first answer ends what it does not have', async () => {
    await servedOnce();
    const gateway = await start();
    const client = await connect(gateway);
    ads = await startScriptedAds(ads.port);
    const stream = await ads.stream();
    for (const _ of ['Target', 'Config']) expect((await stream.request()).initialResourceVersions).toEqual({});
    stream.send({ typeUrl: configType, nonce: 'c1' });
    await stream.request();
    await expect(client.callTool(call)).rejects.toThrow('not allowed');
    expect(JSON.parse(await page(gateway, '/targets')).controlPlane.lastGood).toMatchObject({ kinds: ['Target'] });
    stream.send({ typeUrl: targetType, nonce: 't1', resources });
    await stream.request();
    expect(JSON.parse(await page(gateway, '/targets')).controlPlane.lastGood).toBeNull();
  });

  it('denies everything when its state is too old, and is not ready', async () => {
    await servedOnce();
    const gateway = await start({ stateMaxAge: 1 });
    expect(await page(gateway, '/readyz')).toBe('waiting for the control plane to send Target and Config\n');
    await expect((await connect(gateway)).callTool(call)).rejects.toThrow();
    expect(log.lines.find(({ message }) => message.startsWith('starts without last-good state'))?.level).toBe('warn');
  });

  it('stops being ready when its state becomes too old', async () => {
    await servedOnce();
    const { clock, passDay } = clockOfAges();
    const gateway = await start({}, clock);
    expect(await page(gateway, '/readyz')).toBe('ok\n');
    const client = await connect(gateway);
    passDay();
    await log.line('last-good state is given up');
    expect(await page(gateway, '/readyz')).toBe('waiting for the control plane to send Target and Config\n');
    await expect(client.callTool(call)).rejects.toThrow();
  });

  it('keeps nothing when nothing names its Gateway', async () => {
    const named = { type: 'xds', xds_address: 'http://127.0.0.1:9', listener: { type: 'stdio' } };
    await start({ file: undefined, config: JSON.stringify(named), environment: {} });
    expect(log.lines.map(({ message }) => message)).toContain(
      'no last-good state is kept (--state): nothing names the Gateway; set alt_xds_hostname',
    );
  });
});
