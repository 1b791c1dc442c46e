import { expect, it, onTestFinished } from 'vitest';
import { startCollector } from '../support/otlp-collector.ts';
import { mcpClass, mcpGateway, mcpService } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

it('an edit is one trace, from the event of the file to the last ACK of its nodes', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector[Symbol.asyncDispose]());
  const running = await startWorld(
    { 'a.yaml': `${mcpClass}\n---\n${mcpGateway('default/gw')}`, 'b.yaml': mcpService('default/one') },
    { tracesUrl: `${collector.endpoint}/v1/traces` },
  );
  const nodes = [running.node('default/gw'), running.node('default/gw')];
  for (const node of nodes) await node.settled();
  await running.write({ 'b.yaml': mcpService('default/one', '10.0.0.7') });
  for (const node of nodes) await node.settled();
  await running[Symbol.asyncDispose]();
  const roots = collector.spans.filter(({ name }) => name === 'commit');
  expect(roots).toHaveLength(1);
  const [root] = roots;
  expect(root?.attributes).toMatchObject({ 'gatehouse.cause': 'change' });
  expect(root?.resource).toMatchObject({ 'service.name': 'gatehouse', 'service.instance.id': 'here' });
  const children = collector.spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
  expect(children.map(({ name }) => name).toSorted()).toEqual(['ack', 'decode', 'encode', 'push', 'translate']);
  const span = (name: string): (typeof children)[number] | undefined => children.find((child) => child.name === name);
  // The Target changed, and nothing else: one response to each node.
  expect(span('push')?.attributes).toMatchObject({ 'gatehouse.responses': nodes.length });
  expect(span('ack')?.attributes).toMatchObject({ 'gatehouse.acks': nodes.length, 'gatehouse.nacks': 0 });
  for (const child of children) {
    expect(child.start >= (root?.start ?? 0n) && child.end <= (root?.end ?? 0n), child.name).toBe(true);
  }
});
