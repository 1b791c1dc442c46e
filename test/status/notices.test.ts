import { describe, expect, it } from 'vitest';
import { tellCrowdedOut, tellPolicy, tellRefusal, tellService } from '../../src/status/notices.ts';

describe('what is told', () => {
  const service = { namespace: 'default', name: 'tools' };

  it('of a Service is what is dropped, and apart from that what is remarked', () => {
    expect(tellService({ ...service, dropped: ['A.', 'B.'], warnings: ['C.'] })).toMatchObject([
      { kind: 'Service', key: 'default/tools', reason: 'InvalidMCPService', note: 'A. B.', toldBy: 'leader' },
      { kind: 'Service', key: 'default/tools', reason: 'MCPServiceRemark', note: 'C.', toldBy: 'leader' },
    ]);
    expect(tellService({ ...service, dropped: [], warnings: [] })).toEqual([]);
  });

  it('of a policy is which references no status can name', () => {
    expect(tellPolicy({ namespace: 'default', name: 'p', unwritable: ['A.', 'B.'] })).toMatchObject({
      kind: 'MCPAuthPolicy',
      key: 'default/p',
      reason: 'InvalidTargetRef',
      note: 'A. B.',
    });
  });

  it('of ancestors without room is that they hold all the same', () => {
    const ancestors = ['a', 'b'].map((name) => ({ group: 'gateway.networking.k8s.io', kind: 'Gateway', name }));
    expect(tellCrowdedOut('default/p', ancestors).note).toBe(
      "status.ancestors is full of other controllers' entries, so that it says nothing of: Gateway a, Gateway b. The policy is enforced there all the same.",
    );
  });

  it('of a node that refuses is told by the replica that heard it', () => {
    const refusal = { gateway: 'default/gw', node: 'n', typeUrl: 'type.googleapis.com/mcp.Target', message: 'no' };
    const told = tellRefusal(refusal);
    expect(told).toMatchObject({
      kind: 'Gateway',
      key: 'default/gw',
      reason: 'ResponseRejected',
      toldBy: 'every replica',
    });
    expect(tellRefusal({ ...refusal, node: 'other' }).sameAs).toBe(told.sameAs);
    expect(tellRefusal({ ...refusal, message: 'other' }).sameAs).not.toBe(told.sameAs);
    expect(tellRefusal({ ...refusal, typeUrl: 'other' }).sameAs).not.toBe(told.sameAs);
  });
});
