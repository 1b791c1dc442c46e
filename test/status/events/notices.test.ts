import { describe, expect, it } from 'vitest';
import {
  ancestorsFullEvent,
  rejectionEvent,
  serviceEvents,
  targetRefEvent,
} from '../../../src/status/events/notices.ts';

describe('what is told', () => {
  const service = { namespace: 'default', name: 'tools' };

  it('of a Service is what is dropped, and apart from that what is remarked', () => {
    expect(serviceEvents({ ...service, dropped: ['A.', 'B.'], warnings: ['C.'] })).toMatchObject([
      { kind: 'Service', key: 'default/tools', reason: 'InvalidMCPService', note: 'A. B.', reportedBy: 'leader' },
      { kind: 'Service', key: 'default/tools', reason: 'MCPServiceRemark', note: 'C.', reportedBy: 'leader' },
    ]);
    expect(serviceEvents({ ...service, dropped: [], warnings: [] })).toEqual([]);
  });

  it('of a policy is which references no status can name', () => {
    expect(targetRefEvent({ namespace: 'default', name: 'p', unwritable: ['A.', 'B.'] })).toMatchObject({
      kind: 'MCPAuthPolicy',
      key: 'default/p',
      reason: 'InvalidTargetRef',
      note: 'A. B.',
    });
  });

  it('of ancestors without room is what would stand there, and nothing more', () => {
    const ancestor = (name: string, reasons: readonly string[], section: { readonly sectionName?: string } = {}) => ({
      ancestorRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name, ...section },
      controllerName: 'kgateway.dev/kgateway',
      conditions: reasons.map((reason) => ({ type: 'Any', status: 'True' as const, reason, message: '' })),
    });
    const told = ancestorsFullEvent('default/p', [
      ancestor('a', ['Accepted', 'RulesDropped']),
      ancestor('b', ['TargetNotFound']),
      ancestor('a', ['Invalid'], { sectionName: 'mcp' }),
    ]);
    expect(told.note).toBe(
      "Other controllers' entries fill status.ancestors. That changes nothing of what is enforced, but there is no room to tell of: Gateway a (Accepted, RulesDropped), Gateway b (TargetNotFound), Gateway a, section mcp (Invalid).",
    );
  });

  it('of a node that refuses is told by the replica that heard it', () => {
    const refusal = { gateway: 'default/gw', node: 'n', typeUrl: 'type.googleapis.com/mcp.Target', message: 'no' };
    const told = rejectionEvent(refusal);
    expect(told).toMatchObject({
      kind: 'Gateway',
      key: 'default/gw',
      reason: 'ResponseRejected',
      reportedBy: 'every replica',
    });
    expect(rejectionEvent({ ...refusal, node: 'other' }).aggregateBy).toBe(told.aggregateBy);
    expect(rejectionEvent({ ...refusal, message: 'other' }).aggregateBy).not.toBe(told.aggregateBy);
    expect(rejectionEvent({ ...refusal, typeUrl: 'other' }).aggregateBy).not.toBe(told.aggregateBy);
  });
});
