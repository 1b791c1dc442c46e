import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayNode } from '../support/nodes/gateway-node.ts';
import type { VersionedResources } from '../support/worlds/held-resources.ts';
import {
  gatewayWith,
  mcpClass,
  mcpGateway,
  mcpService,
  openGateway,
  policy,
  serviceWith,
  together,
} from '../support/worlds/manifests.ts';
import { type RunningWorld, startWorld } from '../support/worlds/running-world.ts';

let running: RunningWorld;
let node: GatewayNode;
let before: VersionedResources;

beforeAll(async () => {
  const good = together(openGateway, mcpService('default/tool'), policy('default/p', 'gw'));
  running = await startWorld({ 'good.yaml': good });
  node = running.node('default/gw');
  before = await node.settled();
});
afterAll(() => running[Symbol.asyncDispose]());

const aliasBomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  .concat([...'bcdefg'].map((name, n) => `${name}: &${name} [${Array(10).fill(`*${'abcdef'[n]}`).join(', ')}]`))
  .join('\n');
const thousand = Array.from({ length: 1000 }, (_, n) => `{ name: l${n}, port: ${n + 1}, protocol: kgateway.dev/mcp }`);

interface Bad {
  readonly what: string;
  readonly text: string;
  /** The parts of the one message: place in the file, object, field, remedy. */
  readonly place: `${number}:${number}` | '';
  readonly object?: string;
  readonly field?: string;
  readonly message: RegExp;
}

const bad: readonly Bad[] = [
  {
    what: 'no YAML',
    text: 'kind: Service\nspec: [',
    place: '2:8',
    message: /^This is no YAML: .*end with a \]\. Nothing in the file counts/,
  },
  { what: 'no text', text: '\u0000\u0001\u0002', place: '1:1', message: /This is no object: write a mapping/ },
  { what: 'no object', text: 'Dear reader', place: '1:1', message: /This is no object: write a mapping/ },
  {
    what: 'a wrong type',
    text: serviceWith('default/bad', '{ ports: [{ port: "80", appProtocol: kgateway.dev/mcp }] }').trim(),
    place: '4:19',
    object: 'Service default/bad',
    field: 'spec.ports[0].port',
    message: /is a string: write an integer from 1 to 65535, without quotes/,
  },
  {
    what: 'a misspelt key that narrows',
    text: mcpGateway('default/bad', 'from: Selector, selector: { matchLabel: { team: red } }').trim(),
    place: '4:156',
    object: 'Gateway default/bad',
    field: 'spec.listeners[0].allowedRoutes.namespaces.selector.matchLabel',
    message: /is not a known field: write "matchLabels"/,
  },
  {
    what: 'a misspelt key elsewhere',
    text: serviceWith('default/bad', '{ port: [{ port: 80, appProtocol: kgateway.dev/mcp }] }').trim(),
    place: '4:9',
    object: 'Service default/bad',
    field: 'spec.port',
    message: /is not a known field: write "ports"/,
  },
  {
    what: 'a thousand listeners',
    text: gatewayWith('default/bad', `[${thousand.join(', ')}]`).trim(),
    place: '4:32',
    object: 'Gateway default/bad',
    field: 'spec.listeners',
    message: /has 1000 entries: write at most 64/,
  },
  {
    what: 'a name with a colon',
    text: mcpService('default/bad').replace('name: bad', 'name: "a:b"').trim(),
    place: '3:33',
    object: 'Service',
    field: 'metadata.name',
    message: /is "a:b": write a DNS-1123 label/,
  },
  {
    what: 'a name with a NUL',
    text: mcpService('default/bad').replace('name: bad', 'name: "a\\0b"').trim(),
    place: '3:33',
    object: 'Service',
    field: 'metadata.name',
    message: /is "a\\u0000b": write a DNS-1123 label/,
  },
  {
    what: 'more than 5 MiB',
    text: `# ${'x'.repeat(5 * 1024 * 1024)}`,
    place: '',
    message: /has 5242882 bytes, more than 5242880 \(5 MiB\): split it/,
  },
  { what: 'an alias bomb', text: aliasBomb, place: '5:36', message: /aliases stand for more than 100000 values/ },
  {
    what: 'an ambiguous word',
    text: policy('default/bad', 'gw', 'yes').trim(),
    place: '4:89',
    object: 'MCPAuthPolicy default/bad',
    field: 'spec.rules[0].matches[0].jwt.value',
    message: /is yes, which YAML 1\.1 and YAML 1\.2 read differently: quote it/,
  },
  {
    what: 'an ambiguous number',
    text: serviceWith('default/bad', '{ ports: [{ port: 010, appProtocol: kgateway.dev/mcp }] }').trim(),
    place: '4:19',
    object: 'Service default/bad',
    field: 'spec.ports[0].port',
    message: /is 010, which YAML 1\.1 and YAML 1\.2 read differently/,
  },
  {
    what: 'an object that is there already',
    text: mcpService('default/tool', '10.0.0.9').trim(),
    place: '1:1',
    object: 'Service default/tool',
    message: /already defined at .*good\.yaml:\d+:1, so that this copy does not count: remove one/,
  },
];

describe.each(bad)('$what', ({ text, place, object, field = '', message }) => {
  it('yields one clear message in the log and in the debug view, and affects nothing else', async () => {
    // A name that sorts last, so that the objects of the other files take precedence.
    const logged = running.log.lines.length;
    await running.write({ 'zz-bad.yaml': text });
    const file = expect.stringMatching(new RegExp(`/zz-bad\\.yaml${place === '' ? '' : `:${place}`}$`));
    let problems = await running.problems();
    // A large file is parsed by a process of its own, for which the scans wait a second at most.
    while (problems.length === 0) {
      await running.applied();
      problems = await running.problems();
    }
    // The list shows a problem once its file is parsed, the log once the change is applied.
    await running.applied();
    expect(problems).toMatchObject([{ place: file, field, message: expect.stringMatching(message) }]);
    expect(problems[0]?.object).toBe(object);
    const told = running.log.lines.slice(logged).filter(({ message: line }) => line === problems[0]?.message);
    expect(told).toMatchObject([{ fields: { place: file, object, field } }]);
    expect(await node.settled()).toEqual(before);
    expect(await running.get('metrics', '/readyz')).toMatchObject({ status: 200 });

    await running.write({ 'zz-bad.yaml': undefined });
    expect(await running.problems()).toEqual([]);
    expect(await node.settled()).toEqual(before);
  });
});

describe('a policy for a Gateway that does not exist', () => {
  it('says so in its status and in the log, and has no effect', async () => {
    await running.write({ 'zz-bad.yaml': policy('default/lost', 'gone') });
    expect(await running.problems()).toEqual([]);
    const line = running.log.lines.find(({ fields }) => fields['object'] === 'MCPAuthPolicy default/lost');
    expect(line).toMatchObject({
      level: 'warn',
      fields: {
        conditions: [
          expect.stringMatching(/Accepted=False \(TargetNotFound\): There is no Gateway default\/[^ ]*: create it/),
        ],
      },
    });
    const { policies } = JSON.parse((await running.get('debug', '/snapshots/xds')).body);
    expect(JSON.stringify(policies)).toContain('TargetNotFound');
    expect(await node.settled()).toEqual(before);
    await running.write({ 'zz-bad.yaml': undefined });
  });
});

describe('metrics', () => {
  it('count the current problems', async () => {
    const errors = async (): Promise<string | undefined> =>
      (await running.get('metrics', '/metrics')).body
        .split('\n')
        .find((line) => line.startsWith('gatehouse_input_errors'));
    await running.write({ 'zz-bad.yaml': '"', 'zz-class.yaml': mcpClass });
    expect(await errors()).toBe('gatehouse_input_errors 2');
    await running.write({ 'zz-bad.yaml': undefined, 'zz-class.yaml': undefined });
    expect(await errors()).toBe('gatehouse_input_errors 0');
  });
});
