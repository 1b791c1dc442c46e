import { describe, expect, it } from 'vitest';
import {
  ancestorsFullEvent,
  hintEvents,
  keyEvent,
  rejectionEvent,
  serviceEvents,
  targetRefEvent,
} from '../../../src/status/events/notices.ts';

describe('the Event', () => {
  const service = { namespace: 'default', name: 'tools' };

  it('of a Service has what is dropped, and another one has the warnings', () => {
    expect(serviceEvents({ ...service, dropped: ['A.', 'B.'], warnings: ['C.'] })).toMatchObject([
      { kind: 'Service', key: 'default/tools', reason: 'InvalidMCPService', note: 'A. B.', reportedBy: 'leader' },
      { kind: 'Service', key: 'default/tools', reason: 'MCPServiceRemark', note: 'C.', reportedBy: 'leader' },
    ]);
    expect(serviceEvents({ ...service, dropped: [], warnings: [] })).toEqual([]);
  });

  it('of a policy has the references that no status can name', () => {
    expect(targetRefEvent({ namespace: 'default', name: 'p', unwritable: ['A.', 'B.'] })).toMatchObject({
      kind: 'MCPAuthPolicy',
      key: 'default/p',
      reason: 'InvalidTargetRef',
      note: 'A. B.',
    });
  });

  it('of the hints of an object has their fields and words, and cluster-scoped objects have none', () => {
    const hint = { kind: 'Gateway', key: 'default/gw', field: 'spec.gatewayClassName', message: 'Mend it.' } as const;
    expect(hintEvents([hint, { ...hint, field: '', message: 'And this.' }])).toMatchObject([
      { kind: 'Gateway', key: 'default/gw', type: 'Warning', reason: 'PossibleMistake', reportedBy: 'leader' },
    ]);
    expect(hintEvents([hint, { ...hint, field: '', message: 'And this.' }])[0]?.note).toBe(
      'spec.gatewayClassName: Mend it. And this.',
    );
    expect(hintEvents([{ ...hint, kind: 'GatewayClass', key: 'mcp' }])).toEqual([]);
  });

  it('of keys that cannot be fetched has the reasons', () => {
    expect(keyEvent({ namespace: 'default', name: 'p', failures: ['A.', 'B.'] })).toMatchObject({
      kind: 'MCPAuthPolicy',
      key: 'default/p',
      reason: 'KeysNotFetched',
      note: 'A. B.',
      reportedBy: 'leader',
    });
  });

  it('of ancestors without room has their references and reasons', () => {
    const ancestor = (name: string, reasons: readonly string[], section: { readonly sectionName?: string } = {}) => ({
      ancestorRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name, ...section },
      controllerName: 'kgateway.dev/kgateway',
      conditions: reasons.map((reason) => ({ type: 'Accepted', status: 'True', reason, message: '' }) as const),
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

  it('of a NACK is recorded by the replica that received it, one series per type and message', () => {
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
