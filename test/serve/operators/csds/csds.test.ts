import { beforeEach, describe, expect, it } from 'vitest';
import { ConfigStatus } from '../../../../src/gen/envoy/service/status/v3/csds.ts';
import { Target } from '../../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { type Operator, startOperator, statesOf } from '../../../support/nodes/operator.ts';
import { configType, targetType } from '../../../support/worlds/hand-made-world.ts';
import {
  gateway,
  gatewayNode,
  nodeOf,
  type ServedWorld,
  startServedWorld,
} from '../../../support/worlds/served-world.ts';

let world: ServedWorld;
let operator: Operator;

beforeEach(async () => {
  world = await startServedWorld();
  operator = await startOperator(world);
  world.put('default/a', 'default/b');
});

describe('the status of a client', () => {
  it('is empty without nodes', async () => {
    expect(await operator.ask()).toEqual([]);
  });

  it('has the node as it was sent, and its Gateway as the scope', async () => {
    await world.following();
    const [config] = await operator.ask();
    expect(config).toMatchObject({ node: gatewayNode, clientScope: gateway });
  });

  it('has one entry per resource, SYNCED after the ACK', async () => {
    await world.following();
    const [config] = await operator.ask();
    const versions = [...(world.snapshots.of(gateway).views.get(targetType)?.resources() ?? [])].map(
      (one) => one.version,
    );
    expect(config?.genericXdsConfigs).toEqual(
      ['default/a', 'default/b'].map((name, index) => ({
        typeUrl: targetType,
        name,
        versionInfo: versions[index],
        xdsConfig: { typeUrl: targetType, value: expect.anything() },
        lastUpdated: new Date(world.clock.now()),
        configStatus: ConfigStatus.SYNCED,
        clientStatus: 0,
        errorState: undefined,
        isStaticResource: false,
      })),
    );
    const [entry] = config?.genericXdsConfigs ?? [];
    expect(Target.decode(entry?.xdsConfig?.value ?? Buffer.alloc(0))).toMatchObject({ name: 'default/a', port: 80 });
  });

  it('has names, versions and states without contents on request', async () => {
    await world.following();
    const [whole] = await operator.ask();
    const [config] = await operator.ask({ excludeResourceContents: true });
    expect(config?.genericXdsConfigs).toEqual(
      whole?.genericXdsConfigs.map((entry) => ({ ...entry, xdsConfig: undefined })),
    );
  });
});

describe('the status of a resource', () => {
  it('is STALE for the resources of an unanswered response only', async () => {
    const stream = await world.following();
    world.change('default/a', 81);
    await stream.next();
    const [config] = await operator.ask();
    expect(statesOf(config)).toEqual({ 'default/a': 'STALE', 'default/b': 'SYNCED' });
    expect(config?.genericXdsConfigs[0]?.versionInfo).toBe(
      world.snapshots.of(gateway).views.get(targetType)?.get('default/a')?.version,
    );
  });

  it('is STALE for an unanswered removal', async () => {
    const stream = await world.following();
    world.drop('default/a');
    const response = await stream.next();
    const [config] = await operator.ask();
    expect(statesOf(config)).toEqual({ 'default/b': 'SYNCED', 'default/a': 'STALE' });
    expect(config?.genericXdsConfigs.find(({ name }) => name === 'default/a')).toMatchObject({
      versionInfo: '',
      xdsConfig: undefined,
    });
    await stream.ack(response).silence();
    expect(statesOf((await operator.ask())[0])).toEqual({ 'default/b': 'SYNCED' });
  });
});

describe('the status of a resource that was not sent', () => {
  it('is NOT_SENT for a change that waits for an ACK', async () => {
    const stream = world.stream().request(targetType, { node: gatewayNode });
    await stream.next();
    world.put('default/c');
    await stream.silence();
    expect(statesOf((await operator.ask())[0])).toEqual({
      'default/a': 'STALE',
      'default/b': 'STALE',
      'default/c': 'NOT_SENT',
    });
  });

  it('is NOT_SENT for the resources of a later response of a large update', async () => {
    const other = await startServedWorld({ maxResponse: 100 });
    const asking = await startOperator(other);
    other.put('default/a', 'default/b');
    const stream = other.stream().request(targetType, { node: gatewayNode });
    const first = await stream.next();
    expect(statesOf((await asking.ask())[0])).toEqual({ 'default/a': 'STALE', 'default/b': 'NOT_SENT' });
    await stream.ack(first).next();
    other.put('default/c');
    await stream.silence();
    expect(statesOf((await asking.ask())[0])).toEqual({
      'default/a': 'SYNCED',
      'default/b': 'STALE',
      'default/c': 'NOT_SENT',
    });
  });

  it('is SYNCED for a resource that the node reported as current', async () => {
    const earlier = world.stream().request(targetType, { node: gatewayNode });
    const { versions } = await earlier.accept();
    earlier.halfClose();
    await earlier.ended();
    const stream = world.stream().request(targetType, { node: gatewayNode, initial: versions });
    expect((await stream.accept()).names).toEqual([]);
    await stream.silence();
    const [config] = await operator.ask();
    expect(statesOf(config)).toEqual({ 'default/a': 'SYNCED', 'default/b': 'SYNCED' });
    expect(config?.genericXdsConfigs[0]?.versionInfo).toBe(versions['default/a']);
  });

  it('is NOT_SENT for a subscribed name that does not exist', async () => {
    await world.following({ subscribe: ['default/a', 'default/nobody'] });
    const [config] = await operator.ask();
    expect(statesOf(config)).toEqual({ 'default/a': 'SYNCED', 'default/nobody': 'NOT_SENT' });
    expect(config?.genericXdsConfigs[1]).toMatchObject({ versionInfo: '', lastUpdated: undefined });
  });
});

describe('the status of a client by type', () => {
  it('is independent for each type', async () => {
    world.commit((edit) => edit.config(gateway, 'policy'));
    const stream = await world.following();
    const response = await stream.request(configType).next();
    expect(statesOf((await operator.ask())[0])).toEqual({
      'default/a': 'SYNCED',
      'default/b': 'SYNCED',
      'default.policy': 'STALE',
    });
    await stream.ack(response).silence();
    expect(statesOf((await operator.ask())[0])).toMatchObject({ 'default.policy': 'SYNCED' });
  });

  it('has an entry with an empty name for an empty response until its ACK', async () => {
    const stream = world.stream().request(configType, { node: gatewayNode });
    const response = await stream.next();
    expect(statesOf((await operator.ask())[0])).toEqual({ '': 'STALE' });
    await stream.nack(response, 'no policies?').silence();
    const [refused] = await operator.ask();
    expect(statesOf(refused)).toEqual({ '': 'ERROR' });
    expect(refused?.genericXdsConfigs[0]?.errorState).toMatchObject({ details: 'no policies?' });
  });

  it('has no entries after the ACK of an empty response', async () => {
    const stream = world.stream().request(configType, { node: gatewayNode });
    await stream.accept();
    await stream.silence();
    expect((await operator.ask())[0]?.genericXdsConfigs).toEqual([]);
  });
});

describe('a client', () => {
  it('has the same status in state of the world', async () => {
    const stream = world.stream({ variant: 'state-of-the-world' }).request(targetType, { node: gatewayNode });
    await stream.accept();
    await stream.silence();
    world.change('default/b', 81);
    await stream.next();
    expect(statesOf((await operator.ask())[0])).toEqual({ 'default/a': 'SYNCED', 'default/b': 'STALE' });
  });

  it('whose Gateway does not exist has no resources', async () => {
    const stream = world.stream().request(targetType, { node: nodeOf('default/unknown') });
    await stream.accept();
    await stream.silence();
    expect(await operator.ask()).toMatchObject([{ clientScope: 'default/unknown', genericXdsConfigs: [] }]);
  });

  it('with two streams is listed twice, each with its own status', async () => {
    await world.following();
    const second = world.stream().request(targetType, { node: gatewayNode });
    await second.next();
    const configs = await operator.ask();
    expect(configs.map(({ node }) => node?.id)).toEqual([gatewayNode.id, gatewayNode.id]);
    expect(configs.map((config) => statesOf(config)['default/a'])).toEqual(['SYNCED', 'STALE']);
  });

  it('is not listed after the end of its stream', async () => {
    const stream = await world.following();
    stream.halfClose();
    await stream.ended();
    expect(await operator.ask()).toEqual([]);
  });

  it('with a node above 16 KiB has its id only', async () => {
    const node = { ...gatewayNode, metadata: { ...gatewayNode.metadata, much: 'x'.repeat(20_000) } };
    await world.following({ node });
    expect(await operator.ask()).toMatchObject([
      { node: { id: gatewayNode.id, metadata: undefined }, clientScope: gateway },
    ]);
  });
});

describe('the status of a client after a NACK', () => {
  it('is ERROR for the resources of the NACKed response, with the message and the rejected version', async () => {
    const stream = await world.following();
    world.change('default/a', 81);
    const response = await stream.next();
    await stream.nack(response, 'default/a: no such port').silence();
    const [config] = await operator.ask();
    expect(statesOf(config)).toEqual({ 'default/a': 'ERROR', 'default/b': 'SYNCED' });
    const [entry] = config?.genericXdsConfigs ?? [];
    expect(entry?.errorState).toEqual({
      details: 'default/a: no such port',
      versionInfo: response.versions['default/a'],
      failedConfiguration: entry?.xdsConfig,
      lastUpdateAttempt: new Date(world.clock.now()),
    });
    expect(entry).toMatchObject({ versionInfo: response.versions['default/a'] });
    expect(config?.genericXdsConfigs[1]?.errorState).toBeUndefined();
  });

  it('is ERROR without contents as well', async () => {
    const stream = world.stream().request(targetType, { node: gatewayNode });
    await stream.nack(await stream.next(), 'no').silence();
    const [config] = await operator.ask({ excludeResourceContents: true });
    expect(statesOf(config)).toEqual({ 'default/a': 'ERROR', 'default/b': 'ERROR' });
    expect(config?.genericXdsConfigs[0]?.errorState).toMatchObject({ details: 'no', failedConfiguration: undefined });
  });

  it('stays ERROR through another NACK, until the next ACK', async () => {
    const stream = await world.following();
    world.change('default/a', 81);
    await stream.nack(await stream.next(), 'first').silence();
    world.change('default/b', 82);
    const second = await stream.next();
    expect(statesOf((await operator.ask())[0])).toEqual({ 'default/a': 'ERROR', 'default/b': 'STALE' });
    await stream.nack(second, 'second').silence();
    expect(statesOf((await operator.ask())[0])).toEqual({ 'default/a': 'ERROR', 'default/b': 'ERROR' });
    world.change('default/a', 83);
    const third = await stream.next();
    const [waiting] = await operator.ask();
    expect(statesOf(waiting)).toEqual({ 'default/a': 'STALE', 'default/b': 'ERROR' });
    await stream.ack(third).silence();
    const [config] = await operator.ask();
    expect(statesOf(config)).toEqual({ 'default/a': 'SYNCED', 'default/b': 'SYNCED' });
    expect(config?.genericXdsConfigs.map(({ errorState }) => errorState)).toEqual([undefined, undefined]);
  });

  it('is ERROR after a NACK of what was ACKed', async () => {
    const stream = world.stream().request(targetType, { node: gatewayNode });
    const response = await stream.accept();
    await stream.nack(response, 'on second thoughts').silence();
    const [config] = await operator.ask();
    expect(statesOf(config)).toEqual({ 'default/a': 'ERROR', 'default/b': 'ERROR' });
    expect(config?.genericXdsConfigs[0]?.errorState).toMatchObject({ details: 'on second thoughts' });
  });

  it('has a removal that was NACKed', async () => {
    const stream = await world.following();
    world.drop('default/a');
    await stream.nack(await stream.next(), 'still in use').silence();
    const [config] = await operator.ask();
    expect(statesOf(config)).toEqual({ 'default/a': 'ERROR', 'default/b': 'SYNCED' });
    expect(config?.genericXdsConfigs.find(({ name }) => name === 'default/a')).toMatchObject({
      versionInfo: '',
      errorState: { details: 'still in use', versionInfo: '' },
    });
  });
});
