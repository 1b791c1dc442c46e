import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeOf } from '../../src/gateway/xds/node.ts';
import { createXdsClient } from '../../src/gateway/xds/xds.ts';
import { createRecordedLog, type RecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { type ServedWorld, startServedWorld } from '../support/worlds/served-world.ts';

/** A gateway's xDS client of that Gateway in the namespace `default`. */
function connect(world: ServedWorld, gateway: string): RecordedLog {
  const [host = '', port] = world.address.split(':');
  const address = { host, port: Number(port) };
  const log = createRecordedLog();
  const node = nodeOf(
    { metadata: new Map(), altXdsHostname: undefined },
    { POD_NAMESPACE: 'default', GW_NAME: gateway },
    Math.random,
  );
  const controlPlane = { authority: address, address, security: { tls: undefined, token: undefined } };
  onTestFinished(createXdsClient({ controlPlane, node, clock: systemClock, random: Math.random, log }).start());
  return log;
}

describe('a gateway', () => {
  it('of a Gateway that does not exist is warned, and so is the control plane', async () => {
    const world = await startServedWorld();
    const log = connect(world, 'absent');
    expect(await log.line('connected to the control plane')).toMatchObject({
      fields: { gateway: 'mcp-kgateway-kube-gateway-api~default~absent' },
    });
    expect(await log.line('knows no such Gateway')).toMatchObject({
      level: 'warn',
      fields: { gateway: 'default/absent' },
    });
    expect(await world.log.line('names a Gateway that does not exist')).toMatchObject({
      level: 'warn',
    });
  });

  it('of a Gateway that exists is not', async () => {
    const world = await startServedWorld();
    world.put('a/x');
    const log = connect(world, 'gw');
    await log.line('acknowledged Target');
    expect(log.text()).not.toContain('no such Gateway');
    expect(world.log.text()).not.toContain('does not exist');
  });

  it('without the name of its pod has an id of its own', () => {
    const config = { metadata: new Map<string, string>(), altXdsHostname: 'gw.default' };
    const ids = [0, 1].map(() => nodeOf(config, {}, Math.random).id);
    for (const id of ids) expect(id).toMatch(/^mcpgw~unknown~local-[a-z]{8}\.unknown~unknown\.svc\.cluster\.local$/);
    expect(new Set(ids).size).toBe(2);
  });
});
