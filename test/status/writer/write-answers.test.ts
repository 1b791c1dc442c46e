import { describe, expect, it } from 'vitest';
import { settled } from '../../support/api-server/status-settled.ts';
import { foreign } from '../conditions/stored-statuses.ts';
import { classOf, createWriterRig, mcp, messages, pass, running } from './writer-rig.ts';

describe('a conflict', () => {
  it('is retried at once when the object is observed again', async () => {
    const rig = createWriterRig();
    rig.objects.put(mcp);
    rig.desire('mcp');
    rig.objects.hold();
    rig.objects.put(mcp, { conditions: [foreign('a.example/X')] });
    rig.writer.start();
    await settled();
    expect(rig.objects.asked).toHaveLength(1);
    expect(rig.counters.total('gatehouse_status_writes_total', { outcome: 'conflict' })).toBe(1);
    rig.objects.release();
    await settled();
    expect(rig.objects.asked).toHaveLength(2);
    expect(messages(rig)).toEqual(['', 'as it should be']);
  });

  it('is retried with backoff while the object is not observed', async () => {
    const rig = createWriterRig();
    rig.objects.put(mcp);
    rig.desire('mcp');
    rig.objects.hold();
    rig.objects.put(mcp);
    rig.writer.start();
    await pass(rig, 600_000, 1_000);
    expect(rig.objects.asked.length).toBeGreaterThan(5);
    expect(rig.objects.asked.length).toBeLessThan(15);
    rig.objects.release();
    await pass(rig, 300_000, 1_000);
    expect(messages(rig)).toEqual(['as it should be']);
  });
});

describe('an error of one object', () => {
  it('is not retried when the object is gone', async () => {
    const rig = await running();
    rig.objects.hold();
    rig.objects.remove(mcp);
    rig.desire('mcp', 'too late');
    await pass(rig, 60_000);
    expect(rig.objects.asked).toHaveLength(2);
    expect(rig.log.lines).toEqual([]);
    rig.objects.release();
    rig.objects.put(mcp);
    await pass(rig, 2_000);
    expect(messages(rig)).toEqual(['too late']);
  });

  it('delays no other object', async () => {
    const rig = await running();
    rig.objects.answer = ({ key }) => (key === 'bad' ? { kind: 'failed', message: '500 a webhook' } : undefined);
    for (const key of ['bad', 'good']) {
      rig.desire(key);
      rig.objects.put(classOf(key));
    }
    await settled();
    expect(messages(rig, 'good')).toEqual(['as it should be']);
    await pass(rig, 600_000, 1_000);
    const bad = rig.objects.asked.filter(({ key }) => key === 'bad').length;
    expect(bad).toBeGreaterThan(5);
    expect(bad).toBeLessThan(15);
    rig.objects.answer = undefined;
    await pass(rig, 300_000, 1_000);
    expect(messages(rig, 'bad')).toEqual(['as it should be']);
  });
});

describe('refused content', () => {
  it('is logged once and not sent again for ten minutes', async () => {
    const rig = await running();
    rig.objects.answer = () => ({ kind: 'refused', message: '422 status.conditions[0] is bad' });
    rig.desire('mcp', 'bad');
    await pass(rig, 5_000);
    rig.desire('mcp', 'bad');
    rig.objects.put(mcp, rig.objects.status(mcp));
    await pass(rig, 590_000, 1_000);
    expect(rig.objects.asked).toHaveLength(2);
    expect(rig.log.lines.map(({ fields }) => fields)).toEqual([
      { object: 'GatewayClass mcp', because: '422 status.conditions[0] is bad' },
    ]);
    rig.objects.answer = undefined;
    rig.desire('mcp', 'good');
    await pass(rig, 2_000);
    expect(messages(rig)).toEqual(['good']);
  });

  it('is sent again after ten minutes, when a CRD may have been corrected', async () => {
    const rig = await running();
    rig.objects.answer = () => ({ kind: 'refused', message: '422 no' });
    rig.desire('mcp', 'the same');
    await pass(rig, 5_000);
    rig.objects.answer = undefined;
    await pass(rig, 600_000, 1_000);
    expect(messages(rig)).toEqual(['the same']);
  });

  it('of an object that keeps changing does not fill the log', async () => {
    const rig = await running();
    rig.objects.answer = () => ({ kind: 'refused', message: '422 no' });
    for (let at = 0; at < 300; at += 1) {
      rig.desire('mcp', `bad ${at}`);
      await pass(rig, 1_000);
    }
    expect(rig.log.lines).toHaveLength(5);
  });
});

describe('an outage', () => {
  it('is one for all requests in flight, and the next one begins with the shortest pause again', async () => {
    const rig = createWriterRig();
    const unavailable = { kind: 'unavailable', message: 'no answer', retryAfter: 0 } as const;
    for (let at = 0; at < 10; at += 1) {
      rig.desire(`c${at}`);
      rig.objects.put(classOf(`c${at}`));
    }
    rig.objects.answer = () => unavailable;
    rig.writer.start();
    await settled();
    const inFlight = rig.objects.asked.length;
    await pass(rig, 500);
    expect(rig.objects.asked.length).toBeGreaterThan(inFlight);
    await pass(rig, 60_000);
    rig.objects.answer = undefined;
    await pass(rig, 60_000);
    expect(rig.objects.written()).toBe(10);
    rig.objects.answer = () => unavailable;
    rig.desire('c0', 'new');
    await settled();
    const asked = rig.objects.asked.length;
    await pass(rig, 500);
    expect(rig.objects.asked.length).toBeGreaterThan(asked);
  });
});

describe('an unavailable API server', () => {
  it('pauses all writes, and is logged once', async () => {
    const rig = createWriterRig();
    rig.objects.answer = () => ({ kind: 'unavailable', message: 'no answer', retryAfter: 0 });
    for (let at = 0; at < 100; at += 1) {
      rig.desire(`c${at}`);
      rig.objects.put(classOf(`c${at}`));
    }
    rig.writer.start();
    await pass(rig, 300_000, 1_000);
    expect(rig.objects.asked.length).toBeLessThan(100);
    expect(rig.log.lines).toHaveLength(1);
    expect(rig.counters.level('gatehouse_status_pending')).toBe(100);
    expect(rig.counters.total('gatehouse_status_writes_total', { outcome: 'unavailable' })).toBe(
      rig.objects.asked.length,
    );
    rig.objects.answer = undefined;
    await pass(rig, 60_000, 250);
    expect(rig.objects.written()).toBe(100);
    expect(rig.log.lines.at(-1)?.message).toBe('writing statuses: works again');
  });

  it('is written to again as soon as it answers another request, but not for each of them', async () => {
    const rig = createWriterRig();
    rig.objects.answer = () => ({ kind: 'unavailable', message: 'no answer', retryAfter: 0 });
    rig.objects.put(mcp);
    rig.desire('mcp');
    rig.writer.start();
    await pass(rig, 300_000, 1_000);
    // In the middle of a pause of half a minute.
    await pass(rig, 2_000, 500);
    const asked = rig.objects.asked.length;
    for (let answer = 0; answer < 20; answer += 1) {
      rig.answered();
      await settled();
    }
    expect(rig.objects.asked.length - asked).toBe(4);
    await pass(rig, 60_000, 1_000);
    rig.objects.answer = undefined;
    rig.answered();
    await settled();
    expect(rig.objects.written()).toBe(1);
  });

  it('gets the pause that it asks for', async () => {
    const rig = createWriterRig();
    rig.objects.answer = () => ({ kind: 'unavailable', message: '429 slow down', retryAfter: 30_000 });
    rig.objects.put(mcp);
    rig.desire('mcp');
    rig.writer.start();
    await pass(rig, 29_500);
    rig.answered();
    await settled();
    expect(rig.objects.asked).toHaveLength(1);
    await pass(rig, 1_000);
    expect(rig.objects.asked).toHaveLength(2);
  });
});
