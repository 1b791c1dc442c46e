import { beforeEach, describe, expect, it } from 'vitest';
import { parseErrorDetail } from '../../../src/serve/ads/nack.ts';
import type { TypeStatus } from '../../../src/serve/model.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node, type ServedWorld, startServedWorld } from '../../support/worlds/served-world.ts';

const error = (resource: string, message: string): object => ({ resource, severity: 'error', message });
const warning = (resource: string, message: string): object => ({ resource, severity: 'warning', message });

describe('G11 the message of an error_detail', () => {
  it.each<[string, string, boolean, readonly object[]]>([
    ['nothing', '', true, []],
    ['plain text', 'a/1: no', true, []],
    ['an error', '[{"key":"a/1","error":"no"}]', true, [error('a/1', 'no')]],
    [
      'warnings only',
      '[{"key":"a/1","warn":"hm"},{"key":"","warn":""}]',
      false,
      [warning('a/1', 'hm'), warning('', '')],
    ],
    [
      'a warning and an error, the error first',
      '[{"key":"a/1","warn":"hm"},{"key":"a/2","error":"no"}]',
      true,
      [error('a/2', 'no'), warning('a/1', 'hm')],
    ],
    ['an error and a warning in one entry', '[{"key":"a/1","warn":"hm","error":"no"}]', true, [error('a/1', 'no')]],
    ['an empty array', '[]', true, []],
    ['an entry of another shape', '[{"key":"a/1","warn":"hm"},{"key":"a/2"}]', true, []],
    ['an entry without a key', '[{"warn":"hm"}]', true, []],
    ['an entry that is null', '[null]', true, []],
    ['a warning that is not a string', '[{"key":"a/1","warn":1}]', true, []],
    ['an error that is null, and a warning', '[{"key":"a/1","warn":"hm","error":null}]', true, []],
    ['an object', '{"key":"a/1","warn":"hm"}', true, []],
    ['broken JSON', '[{"key":"a/1","warn":"hm"}', true, []],
  ])('%s', (_, text, rejects, diagnostics) => {
    expect(parseErrorDetail(text)).toEqual({ rejects, message: text, diagnostics });
  });

  it('is truncated', () => {
    const entries = Array.from({ length: 100 }, (_, index) => ({
      key: 'k'.repeat(1000),
      warn: `${index}`.repeat(1000),
    }));
    const { rejects, message, diagnostics } = parseErrorDetail(
      JSON.stringify([...entries, { key: 'last', error: 'no' }]),
    );
    expect({ rejects, length: message.length, count: diagnostics.length }).toEqual({
      rejects: true,
      length: 2048,
      count: 32,
    });
    expect(diagnostics[0]).toEqual(error('last', 'no'));
    expect(diagnostics[1]?.resource).toHaveLength(256);
    expect(diagnostics[1]?.message).toHaveLength(512);
  });

  it('is a NACK and not parsed when it is longer than a megabyte', () => {
    const long = JSON.stringify([{ key: 'a/1', warn: 'x'.repeat(1024 * 1024) }]);
    expect(parseErrorDetail(long)).toMatchObject({ rejects: true, diagnostics: [] });
  });
});

describe('G11 a node', () => {
  let world: ServedWorld;

  beforeEach(async () => {
    world = await startServedWorld();
    world.put('a/1', 'a/2');
  });

  const status = (): TypeStatus | undefined =>
    world.server.nodes()[0]?.types.find(({ typeUrl }) => typeUrl === targetType);
  const warn = JSON.stringify([{ key: 'a/1', warn: 'an odd path' }]);

  it.each(['delta', 'state-of-the-world'] as const)('that sends warnings only has ACKed (%s)', async (variant) => {
    const stream = world.stream({ variant }).request(targetType, { node });
    const response = await stream.next();
    stream.nack(response, warn);
    await stream.silence();
    expect(status()).toMatchObject({
      acked: { nonce: response.nonce },
      remarks: { nonce: response.nonce, diagnostics: [warning('a/1', 'an odd path')], at: world.clock.now() },
      counts: { acks: 1, nacks: 0 },
    });
    expect(status()?.rejection).toBeUndefined();
    expect(world.log.text()).toContain('with remarks');
  });

  it('has no warnings after an ACK without them', async () => {
    const stream = world.stream().request(targetType, { node });
    stream.nack(await stream.next(), warn);
    world.change('a/1', 81);
    await stream.accept();
    await stream.silence();
    expect(status()?.remarks).toBeUndefined();
  });

  it('has the errors of its NACK by resource in the status', async () => {
    const stream = world.stream().request(targetType, { node });
    stream.nack(await stream.next(), JSON.stringify([{ key: 'a/2', error: 'no such path' }]));
    await stream.silence();
    expect(status()?.rejection?.diagnostics).toEqual([error('a/2', 'no such path')]);
    expect(status()).not.toHaveProperty('acked');
  });

  it('that NACKs what it ACKed has no ACKed version, and the NACK counts once', async () => {
    const stream = world.stream().request(targetType, { node });
    const response = await stream.accept();
    await stream.silence();
    expect(status()).toHaveProperty('acked');
    for (let index = 0; index < 3; index += 1) stream.nack(response, 'after all, no');
    await stream.silence();
    expect(status()).toMatchObject({ rejection: { message: 'after all, no' }, counts: { acks: 1, nacks: 1 } });
    expect(status()).not.toHaveProperty('acked');
  });
});
