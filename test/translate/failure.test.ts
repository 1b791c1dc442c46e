import { describe, expect, it } from 'vitest';
import type { Condition } from '../../src/translate/model.ts';
import {
  createTranslatedWorld,
  type Manifest,
  readManifest,
  type TranslatedWorld,
} from '../support/worlds/translated-world.ts';
import { gateway, gatewayClass, policy, service } from './manifests.ts';

/** Contains a bug of ours: no output for the one object, a condition that reports it, and unchanged neighbours. */

const openGateway = gateway('g', { from: 'All' });
const tool = service('default', 80);
const allowAll = policy('p', { gateway: 'g', tool: '*', subject: 'me' });

/** Applies an object that throws, as a bug would, when the translation reads one of its fields. */
function applyBroken(world: TranslatedWorld, broken: Manifest, field: string): readonly string[] {
  const reading = readManifest(broken);
  // The comparison with an earlier version would throw first.
  world.remove(reading.kind, reading.key);
  const resource = Object.defineProperty({ ...reading.resource }, field, {
    enumerable: true,
    get: () => {
      throw new Error('a bug');
    },
  });
  const commit = world.graph.commit(() => world.inputs.apply({ ...reading, resource: Object.assign(resource) }));
  return commit.failures.map(({ collection, key }) => `${collection} ${key}`);
}

function types(conditions: readonly Condition[] | undefined): readonly string[] {
  return (conditions ?? []).map(({ type, status, reason }) => `${type} ${status}/${reason}`);
}

const internalError = 'kgateway.dev/InternalError True/TransformationFailed';

describe('a transformation that throws', () => {
  it('leaves a Gateway without a state, with a condition', () => {
    const world = createTranslatedWorld({}, false);
    world.apply(gatewayClass, openGateway, gateway('other', { from: 'All' }), tool, allowAll);
    expect(applyBroken(world, openGateway, 'listeners')).toEqual(['gateway-results default/g']);
    const { gateways, gatewayStatuses, attachedGateways, policyStatuses } = world.translation;
    expect(gateways.get('default/g')).toBeUndefined();
    expect(gateways.get('default/other')).toEqual({ kind: 'served', scope: { kind: 'all' } });
    expect(attachedGateways('default/p')).toEqual([]);
    expect(types(gatewayStatuses.get('default/g')?.conditions)).toEqual([
      'Accepted Unknown/Pending',
      'Programmed False/Pending',
      'kgateway.dev/MCPAuthPolicyAffected True/PolicyAttached',
      internalError,
    ]);
    expect(policyStatuses.get('default/p')?.ancestors[0]?.conditions[0]?.message).toContain('nothing is sent to it');
  });

  it("writes no status on another controller's Gateway", () => {
    const world = createTranslatedWorld({}, false);
    applyBroken(world, openGateway, 'addresses');
    expect(world.translation.gatewayStatuses.size).toBe(0);
  });

  it('leaves a policy without a Config, with a condition', () => {
    const world = createTranslatedWorld({}, false);
    world.apply(gatewayClass, openGateway, tool, allowAll);
    expect(world.translation.configs.size).toBe(1);
    expect(applyBroken(world, allowAll, 'rules')).toEqual(['policy-results default/p']);
    expect(world.translation.configs.size).toBe(0);
    expect(world.translation.attachments.size).toBe(0);
    const [ancestor] = world.translation.policyStatuses.get('default/p')?.ancestors ?? [];
    expect(types(ancestor?.conditions)).toEqual(['Accepted False/Invalid', internalError]);
  });

  it('leaves a GatewayClass without a result, and its Gateways without a snapshot', () => {
    const world = createTranslatedWorld({}, false);
    world.apply(gatewayClass, openGateway, tool);
    expect(applyBroken(world, gatewayClass, 'parametersRef')).toEqual(['gateway-classes mcp']);
    expect(types(world.translation.gatewayClassStatuses.get('mcp')?.conditions)).toEqual([
      'Accepted Unknown/Pending',
      internalError,
    ]);
    expect(world.translation.gateways.get('default/g')).toEqual({ kind: 'foreign' });
  });

  it('leaves a Service without targets', () => {
    const world = createTranslatedWorld({}, false);
    world.apply(gatewayClass, openGateway, tool);
    expect(applyBroken(world, tool, 'address')).toEqual(['services default/tool']);
    expect(world.translation.targets.size).toBe(0);
  });

  it('loses its condition when the object is corrected', () => {
    const world = createTranslatedWorld({}, false);
    world.apply(gatewayClass, openGateway);
    applyBroken(world, openGateway, 'listeners');
    world.apply(openGateway);
    expect(types(world.translation.gatewayStatuses.get('default/g')?.conditions)).not.toContain(internalError);
  });
});
