import { describe, expect, it } from 'vitest';
import { policySummary } from '../../../src/status/conditions/policy-summary.ts';

type Status = 'True' | 'False';

function entry(name: unknown, status: Status, reason: string, message: string): Record<string, unknown> {
  const others = { type: 'kgateway.dev/PartiallyInvalid', status: 'True', reason: 'Other', message: 'Other.' };
  return { ancestorRef: { name }, conditions: [others, { type: 'Accepted', status, reason, message }] };
}
const accepted = (name: string): Record<string, unknown> => entry(name, 'True', 'Accepted', 'The policy is accepted.');
const missing = (name: string): Record<string, unknown> => entry(name, 'False', 'TargetNotFound', 'No such Gateway.');

describe('the summary of a policy', () => {
  it('is the verdict itself when there is one Gateway', () => {
    expect(policySummary([accepted('a')])).toEqual({
      gateways: 'a',
      accepted: 'True',
      reason: 'Accepted',
      message: 'The policy is accepted.',
    });
    expect(policySummary([missing('a')])).toMatchObject({ accepted: 'False', reason: 'TargetNotFound' });
  });

  it('says at how many Gateways the policy is accepted, and first where it is not', () => {
    expect(policySummary([accepted('a'), accepted('b'), missing('c')])).toEqual({
      gateways: 'a, b, c',
      accepted: '2 of 3',
      reason: 'TargetNotFound',
      message: 'c: No such Gateway. a, b: The policy is accepted.',
    });
  });

  it('says True or False only when that holds at all of them', () => {
    expect(policySummary([accepted('a'), accepted('b')])).toMatchObject({
      accepted: 'True',
      message: 'The policy is accepted.',
    });
    const conflict = entry('b', 'False', 'Conflicted', 'Another policy says so.');
    expect(policySummary([missing('a'), conflict])).toMatchObject({
      accepted: 'False',
      reason: 'TargetNotFound, Conflicted',
      message: 'a: No such Gateway. b: Another policy says so.',
    });
  });

  it('says neither of Gateways at which nothing is decided', () => {
    const undecided = (name: string): Record<string, unknown> => ({ ancestorRef: { name }, conditions: [] });
    expect(policySummary([undecided('a'), undecided('b')])).toMatchObject({ accepted: '0 of 2' });
    expect(policySummary([undecided('a'), missing('b'), missing('c')])).toMatchObject({ accepted: '0 of 3' });
  });

  it('keeps what accepted policies remark about a single Gateway', () => {
    const remark = entry('b', 'True', 'Accepted', 'The policy is accepted. The Gateway is not.');
    expect(policySummary([accepted('a'), remark, accepted('c')])).toMatchObject({
      accepted: 'True',
      message: 'a, c: The policy is accepted. b: The policy is accepted. The Gateway is not.',
    });
  });

  it('names three Gateways and counts the others', () => {
    const five = ['a', 'b', 'c', 'd', 'e'].map(accepted);
    expect(policySummary(five)).toMatchObject({ gateways: 'a, b, c and 2 more' });
  });

  it.each([
    ['no condition', { ancestorRef: { name: 'a' }, conditions: [] }],
    ['no list', { ancestorRef: { name: 'a' }, conditions: 'x' }],
    ['another status', { ancestorRef: { name: 'a' }, conditions: [{ type: 'Accepted', status: 'true' }] }],
  ])('never takes an entry with %s for one that is accepted', (_what, odd) => {
    expect(policySummary([odd])).toMatchObject({ accepted: 'Unknown' });
    expect(policySummary([accepted('b'), odd])).toMatchObject({ accepted: '1 of 2' });
  });

  it('cannot be forged by the names and reasons of other controllers', () => {
    const forged = entry('a, b', 'False', 'Accepted\u001b[2J', 'x'.repeat(30_000));
    const { gateways, reason, message } = policySummary([forged]);
    expect([gateways, reason]).toEqual(['"a, b"', 'Accepted [2J']);
    expect(String(message).length).toBeLessThan(1_100);
  });
});
