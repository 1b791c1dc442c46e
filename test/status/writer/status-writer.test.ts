import { describe, expect, it } from 'vitest';
import { asJsonObject, objectsOf } from '../../../src/json/json.ts';
import { settled } from '../../support/api-server/status-settled.ts';
import { ancestor, foreign, policyOf } from '../conditions/stored-statuses.ts';
import { classOf, createWriterRig, mcp, messages, pass, running } from './writer-rig.ts';

describe('a status', () => {
  it('is written once, and not again when it is observed', async () => {
    const rig = await running();
    expect(messages(rig)).toEqual(['as it should be']);
    rig.objects.put(mcp, rig.objects.status(mcp));
    rig.desire('mcp');
    await pass(rig, 60_000);
    expect(rig.objects.asked).toHaveLength(1);
    expect(rig.counters.total('gatehouse_status_writes_total', { kind: 'GatewayClass', outcome: 'written' })).toBe(1);
    expect(rig.counters.level('gatehouse_status_pending')).toBe(0);
  });

  it('is not written when it is up to date from the start', async () => {
    const first = await running();
    const rig = createWriterRig();
    rig.objects.put(mcp, first.objects.status(mcp));
    rig.desire('mcp');
    rig.writer.start();
    await pass(rig, 5_000);
    expect(rig.objects.asked).toEqual([]);
  });

  it('is not written for objects of other controllers', async () => {
    const rig = await running();
    rig.objects.put(classOf('theirs'), { conditions: [foreign('Accepted')] });
    rig.objects.put({ kind: 'Gateway', key: 'default/theirs' });
    rig.objects.put({ kind: 'MCPAuthPolicy', key: 'default/theirs' }, { ancestors: [ancestor('x', 'a.example/c')] });
    await pass(rig, 5_000);
    expect(rig.objects.asked).toHaveLength(1);
  });

  it('is not written for an object that was not observed', async () => {
    const rig = await running();
    rig.desire('unseen');
    await pass(rig, 5_000);
    expect(rig.objects.asked).toHaveLength(1);
  });
});

describe('a status that cannot be compared', () => {
  it('is said, and keeps no other one from being written', async () => {
    const rig = createWriterRig();
    rig.objects.put({ kind: 'MCPAuthPolicy', key: 'default/broken' });
    rig.policies.set('default/broken', {
      kind: 'MCPAuthPolicy',
      namespace: 'default',
      name: 'broken',
      grants: 0,
      allows: '',
      get ancestors(): never {
        throw new Error('on purpose');
      },
    });
    rig.objects.put(mcp);
    rig.desire('mcp');
    rig.writer.start();
    rig.writer.changed([{ kind: 'MCPAuthPolicy', key: 'default/broken' }, mcp]);
    await settled();
    expect(messages(rig)).toEqual(['as it should be']);
    const said = rig.log.lines.filter(({ message }) => message.startsWith('internal error'));
    expect(said.map(({ fields }) => [fields['object'], fields['because']])).toEqual([
      ['MCPAuthPolicy default/broken', 'on purpose'],
    ]);
  });
});

describe('an object that was deleted and created again', () => {
  it('is written without delay', async () => {
    const rig = await running();
    rig.objects.remove(mcp);
    rig.objects.put(mcp);
    await settled();
    expect(messages(rig)).toEqual(['as it should be']);
  });
});

describe('the pending statuses', () => {
  it('do not include one that another client corrected', async () => {
    const rig = await running();
    const status = rig.objects.status(mcp);
    rig.objects.put(mcp, { conditions: [foreign('Accepted')] });
    expect(rig.counters.level('gatehouse_status_pending')).toBe(1);
    rig.objects.put(mcp, status);
    expect(rig.counters.level('gatehouse_status_pending')).toBe(0);
  });
});

describe('a changed status', () => {
  it('is written in its newest form after several changes', async () => {
    const rig = await running();
    for (let round = 0; round < 100; round += 1) rig.desire('mcp', `round ${round}`);
    await pass(rig, 5_000);
    expect(messages(rig)).toEqual(['round 99']);
    expect(rig.objects.asked).toHaveLength(2);
  });

  it('is written again when it changes during a write', async () => {
    const rig = createWriterRig();
    rig.objects.put(mcp);
    rig.desire('mcp');
    rig.writer.start();
    rig.desire('mcp', 'newer');
    expect(rig.objects.asked).toHaveLength(1);
    await pass(rig, 2_000);
    expect(messages(rig)).toEqual(['newer']);
    expect(rig.objects.asked).toHaveLength(2);
  });

  it('is compared with the observation that came before the response', async () => {
    const rig = createWriterRig();
    rig.objects.put(mcp);
    rig.desire('mcp');
    rig.writer.start();
    const ours = objectsOf(asJsonObject(rig.objects.status(mcp))['conditions']);
    rig.objects.put(mcp, { conditions: [foreign('a.example/X'), ...ours] });
    await pass(rig, 2_000);
    rig.desire('mcp', 'newer');
    await settled();
    expect(messages(rig)).toEqual(['', 'newer']);
    expect(rig.objects.asked).toHaveLength(2);
  });

  it('is written at most once a second', async () => {
    const rig = await running();
    for (let at = 0; at < 500; at += 1) {
      rig.desire('mcp', `flap ${at}`);
      await pass(rig, 20, 20);
    }
    expect(rig.objects.written()).toBeLessThanOrEqual(11);
    await pass(rig, 2_000);
    expect(messages(rig)).toEqual(['flap 499']);
  });

  it('loses own ancestors when a policy has no reference to a Gateway of this controller', async () => {
    const rig = await running();
    const policy = { kind: 'MCPAuthPolicy', key: 'default/policy' } as const;
    rig.policies.set(policy.key, policyOf('gw'));
    rig.objects.put(policy, { ancestors: [ancestor('x', 'a.example/c')] });
    await pass(rig, 2_000);
    expect(rig.objects.status(policy)).toMatchObject({ ancestors: [{ controllerName: 'a.example/c' }, {}] });
    rig.policies.delete(policy.key);
    rig.writer.changed([policy]);
    await pass(rig, 2_000);
    expect(rig.objects.status(policy)).toEqual({ ancestors: [ancestor('x', 'a.example/c')] });
  });
});

describe('the term of leadership', () => {
  it('has not begun before the start: nothing is written', async () => {
    const rig = createWriterRig();
    rig.objects.put(mcp);
    rig.desire('mcp');
    await pass(rig, 5_000);
    expect(rig.objects.asked).toEqual([]);
    expect(rig.counters.level('gatehouse_status_pending')).toBe(0);
  });

  it('ends at once: queued statuses are dropped and writes in flight are ignored', async () => {
    const rig = createWriterRig();
    for (let at = 0; at < 100; at += 1) {
      rig.objects.put(classOf(`c${at}`));
      rig.desire(`c${at}`);
    }
    rig.writer.start();
    rig.writer.stop();
    const asked = rig.objects.asked.length;
    await pass(rig, 60_000);
    expect(rig.objects.asked).toHaveLength(asked);
    expect(asked).toBeLessThanOrEqual(4);
    expect(rig.counters.level('gatehouse_status_pending')).toBe(0);
  });

  it('ignores responses of an earlier term', async () => {
    const rig = createWriterRig();
    rig.objects.put(mcp);
    rig.desire('mcp');
    rig.objects.answer = () => ({ kind: 'refused', message: '422 no' });
    rig.writer.start();
    rig.writer.stop();
    await settled();
    expect(rig.log.lines).toEqual([]);
    rig.objects.answer = undefined;
    rig.writer.start();
    await settled();
    expect(messages(rig)).toEqual(['as it should be']);
  });

  it('is checked before every write', async () => {
    const rig = createWriterRig();
    rig.leads = false;
    rig.objects.put(mcp);
    rig.desire('mcp');
    rig.writer.start();
    await pass(rig, 5_000);
    expect(rig.objects.asked).toEqual([]);
  });

  it('begins with a comparison of every object', async () => {
    const rig = await running();
    rig.writer.stop();
    rig.objects.put(mcp, {});
    await pass(rig, 1_000);
    expect(messages(rig)).toEqual([]);
    rig.writer.start();
    await settled();
    expect(messages(rig)).toEqual(['as it should be']);
  });
});

describe('the write rate', () => {
  it('for a thousand policies at the start has a burst of thirty and twenty a second', async () => {
    const rig = createWriterRig();
    for (let at = 0; at < 1_000; at += 1) {
      const key = `default/p${at}`;
      rig.policies.set(key, policyOf('gw'));
      rig.objects.put({ kind: 'MCPAuthPolicy', key });
    }
    rig.writer.start();
    await settled();
    expect(rig.objects.written()).toBe(30);
    await pass(rig, 10_000, 50);
    expect(rig.objects.written()).toBe(230);
    expect(rig.counters.level('gatehouse_status_pending')).toBe(770);
    await pass(rig, 38_500, 50);
    expect(rig.objects.written()).toBe(1_000);
    await pass(rig, 60_000);
    expect(rig.objects.asked).toHaveLength(1_000);
    expect(rig.counters.level('gatehouse_status_pending')).toBe(0);
  });
});

describe('another client', () => {
  it('that keeps changing its own condition causes no writes', async () => {
    const rig = await running();
    for (let round = 0; round < 50; round += 1) {
      const ours = objectsOf(asJsonObject(rig.objects.status(mcp))['conditions']).filter(
        ({ type }) => type === 'Accepted',
      );
      rig.objects.put(mcp, { conditions: [{ ...foreign('a.example/X'), message: `round ${round}` }, ...ours] });
      await pass(rig, 1_000);
    }
    expect(rig.objects.written()).toBe(1);
    expect(messages(rig)).toEqual(['round 49', 'as it should be']);
  });

  it('that keeps adding ancestors is followed by the summary of all of them, with backoff', async () => {
    const rig = await running();
    const policy = { kind: 'MCPAuthPolicy', key: 'default/policy' } as const;
    rig.policies.set(policy.key, policyOf('gw'));
    rig.objects.put(policy);
    await pass(rig, 1_000);
    const written = rig.objects.written();
    const rounds = 12;
    for (let round = 0; round < rounds; round += 1) {
      const before = objectsOf(asJsonObject(rig.objects.status(policy))['ancestors']);
      const status = asJsonObject(rig.objects.status(policy));
      rig.objects.put(policy, { ...status, ancestors: [ancestor(`x${round}`, 'a.example/c'), ...before] });
      await pass(rig, 1_000);
    }
    expect(rig.objects.written() - written).toBeLessThan(rounds / 2);
    await pass(rig, 300_000);
    const { ancestors, summary } = asJsonObject(rig.objects.status(policy));
    expect(objectsOf(ancestors)).toHaveLength(rounds + 1);
    expect(summary).toMatchObject({ gateways: 'x11, x10, x9 and 10 more', accepted: 'True' });
    const settledAt = rig.objects.written();
    await pass(rig, 300_000);
    expect(rig.objects.written()).toBe(settledAt);
  });

  it('that keeps replacing an owned condition is answered with backoff', async () => {
    const rig = await running();
    let flips = 0;
    for (let at = 0; at < 36_000; at += 1) {
      if (messages(rig)[0] === 'as it should be') {
        rig.objects.put(mcp, { conditions: [foreign('Accepted')] });
        flips += 1;
      }
      await pass(rig, 100, 100);
    }
    expect(flips).toBeGreaterThan(5);
    expect(rig.objects.written()).toBeLessThan(25);
  });

  it('that has stopped leaves no wrong status behind', async () => {
    const rig = await running();
    for (let round = 0; round < 5; round += 1) {
      rig.objects.put(mcp, { conditions: [foreign('Accepted')] });
      await pass(rig, 500);
    }
    await pass(rig, 300_000);
    expect(messages(rig)).toEqual(['as it should be']);
  });

  it('does not delay a new status', async () => {
    const rig = await running();
    for (let round = 0; round < 20; round += 1) {
      rig.objects.put(mcp, { conditions: [foreign('Accepted')] });
      await pass(rig, 10_000, 1_000);
    }
    rig.desire('mcp', 'new');
    await pass(rig, 1_000);
    expect(messages(rig)).toEqual(['new']);
  });
});
