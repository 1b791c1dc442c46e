import { describe, expect, it } from 'vitest';
import type { Service } from '../../../src/resources/model.ts';
import { AMBIGUOUS, type Mapping, object, problemsOf, resource, valueOrReason } from '../objects.ts';

const mcp: Mapping = { port: 8080, appProtocol: 'kgateway.dev/mcp' };
const other: Mapping = { port: 80, appProtocol: 'http' };

const written = (spec: Mapping, annotations?: unknown): Mapping => {
  return object('Service', { ports: [mcp], ...spec }, { metadata: { name: 'tool', annotations } });
};
const service = (spec: Mapping, annotations?: unknown): Service => resource('Service', written(spec, annotations));
const problems = (spec: Mapping, annotations?: unknown): readonly string[] =>
  problemsOf('Service', written(spec, annotations));

const invalid: unknown = expect.stringMatching(/^invalid: spec\./);

describe('the address of a Service', () => {
  const address = (spec: Mapping): unknown => valueOrReason(service(spec).address);
  const dns = { type: 'ClusterDNS' };

  it.each([undefined, null, '', 'None'])('is its DNS name when clusterIP is %j', (clusterIP) => {
    expect(address({ clusterIP })).toEqual(dns);
  });

  it.each([undefined, null, '', 'ClusterIP', 'NodePort', 'LoadBalancer'])(
    'is its clusterIP when its type is %j',
    (type) => {
      const ip = { type: 'ClusterIP', ip: '10.96.0.1', version: 4, loopback: false };
      expect(address({ type, clusterIP: '10.96.0.1', externalName: 'other.example' })).toEqual(ip);
    },
  );

  it.each<[string, string, 4 | 6, boolean]>([
    ['127.0.0.1', '127.0.0.1', 4, true],
    ['FD00:0:0::01', 'fd00::1', 6, false],
    ['::1', '::1', 6, true],
    ['::FFFF:127.8.0.1', '::ffff:127.8.0.1', 6, true],
  ])('spells %s as %s', (clusterIP, ip, version, loopback) => {
    expect(address({ clusterIP })).toEqual({ type: 'ClusterIP', ip, version, loopback });
  });

  it.each(['0.0.0.0', '::', '169.254.1.1', 'fe80::1', '224.0.0.1', 'ff02::1', '::ffff:169.254.1.1', '255.255.255.255'])(
    'is never %s',
    (clusterIP) => expect(address({ clusterIP })).toEqual(invalid),
  );

  it.each([
    'none',
    'NONE',
    'localhost',
    '10.96.0',
    '010.96.0.1',
    '10.96.0.1 ',
    '10.96.0.256',
    '[::1]',
    'fe80::1%eth0',
    '1::2::3',
    5,
    true,
    {},
    AMBIGUOUS,
  ])('is invalid when clusterIP is %j', (clusterIP) => expect(address({ clusterIP })).toEqual(invalid));

  it.each(['externalname', 'ExternalIP', 5, [], AMBIGUOUS])('is invalid when its type is %j', (type) => {
    expect(address({ type, clusterIP: '10.96.0.1' })).toEqual(invalid);
  });
});

describe('the address of an ExternalName Service', () => {
  const address = (spec: Mapping): unknown => valueOrReason(service(spec).address);

  it.each(['mcp.example.com', 'mcp', 'a.b2', 'localhost.example', 'notlocalhost', '1.example'])(
    'is %s, and clusterIP has no effect',
    (externalName) => {
      const spec = { type: 'ExternalName', externalName, clusterIP: '10.96.0.1' };
      expect(address(spec)).toEqual({ type: 'ExternalName', name: externalName });
    },
  );

  it.each([
    ...[
      undefined,
      null,
      '',
      5,
      AMBIGUOUS,
      'localhost',
      'a.localhost',
      'localhost.localdomain',
      'ip6-localhost',
      'ip6-loopback',
      'LOCALHOST',
      '127.0.0.1',
      '1',
      'a.0x7f',
      '::1',
      'a_b',
    ],
    ...['mcp.example.com.', '*.example.com', 'a b', 'a:80', 'user@a', `${'a'.repeat(250)}.com`],
  ])('is never %j', (externalName) => {
    expect(address({ type: 'ExternalName', externalName, clusterIP: '10.96.0.1' })).toEqual(invalid);
  });
});

it.each(['localhost', 'ip6-localhost', '127.0.0.1', '::1'])(
  'an ExternalName Service that names the machine of its author, such as %s, is told of --resolve',
  (externalName) => {
    expect(problems({ type: 'ExternalName', externalName })).toEqual([
      `error spec.externalName is "${externalName}", the machine of each gateway, where no target may be. For a server on yours, leave out spec.type and this, and start the gateway with --resolve.`,
    ]);
  },
);

describe('the path of a Service', () => {
  const path = (annotations: unknown): unknown => valueOrReason(service({}, annotations).path);
  const ours = 'kgateway.dev/mcp-path';
  const theirs = 'agentgateway.dev/mcp-path';
  const faulty: unknown = expect.stringMatching(/^invalid: metadata\.annotations/);

  it.each([undefined, null, {}, { 'kgateway.dev/target-name': 'x' }])(
    'is empty with the annotations %j',
    (annotations) => {
      expect(path(annotations)).toBe('');
    },
  );

  it.each([
    [{ 'kgateway.dev/mcp-pth': '/mcp' }, 'kgateway.dev/mcp-pth', ours],
    [{ 'kgateway.dev/mcp': '/mcp' }, 'kgateway.dev/mcp', ours],
    [{ 'kgateway.dev/MCP-path': '/mcp' }, 'kgateway.dev/MCP-path', ours],
    [{ 'kgatway.dev/mcp-path': '/mcp' }, 'kgatway.dev/mcp-path', ours],
    [{ 'agentgateway.dev/mcp_path': '/mcp' }, 'agentgateway.dev/mcp_path', theirs],
  ])('is empty with a misspelt annotation, about which there is a warning: %j', (annotations, key, near) => {
    expect(path(annotations)).toBe('');
    expect(problems({}, annotations)).toEqual([
      `warning metadata.annotations["${key}"] has no effect: write "${near}", the nearest known one, or remove it.`,
    ]);
  });

  it('has one warning about all misspelt annotations, and none about those of others', () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`kgateway.dev/mcp-${index}`, '/mcp']));
    expect(problems({}, many)).toEqual([expect.stringMatching(/or remove it\. There are 199 more like it\.$/)]);
    expect(problems({}, { [ours]: '/a', [theirs]: '/b', 'kgateway.dev/other': 'x', 'example.com/mcp': 'x' })).toEqual(
      [],
    );
  });

  it('is the first annotation that is present', () => {
    expect(path({ [ours]: '/a', [theirs]: '/b' })).toBe('/a');
    expect(path({ [theirs]: '/b' })).toBe('/b');
    expect(path({ [ours]: '/a', [theirs]: 'bad' })).toBe('/a');
    expect(path({ [ours]: 'bad', [theirs]: '/b' })).toEqual(faulty);
  });

  it.each(['/', '/mcp', '/a//b', '/a%20b', '/ü', '/a/../b', `/${'x'.repeat(1023)}`])('may be %j', (value) => {
    expect(path({ [ours]: value })).toBe(value);
  });

  it.each([
    ...['', 'mcp', '//mcp', '///', 'http://x/', '/a?b', '/a#b', '/a\\b', '/a b', ' /a', '/a\n', '/a\u0000', '/a\u0085'],
    ...['/a\u00a0', '/a\u2028', '/a\ud800', `/${'x'.repeat(1024)}`, 5, null, AMBIGUOUS],
  ])('is never %j', (value) => {
    expect(path({ [ours]: value })).toEqual(faulty);
  });

  it.each([[], 'x', 5, AMBIGUOUS, { other: 5 }, { other: null }, { other: AMBIGUOUS }])(
    'is invalid beside the annotations %j',
    (annotations) => {
      expect(path(annotations)).toEqual(faulty);
    },
  );
});

describe('a Service', () => {
  it('without MCP ports has no problems of our rules', () => {
    const spec = { ports: [other], type: 'ExternalName', externalName: 'mcp.example.com.' };
    expect(service(spec).mcpPorts).toEqual([]);
    expect(problems(spec, { 'kgateway.dev/mcp-path': '' })).toEqual([]);
  });

  it('has an error for each reason to drop it', () => {
    expect(problems({ clusterIP: '169.254.0.1' }, { 'kgateway.dev/mcp-path': '' })).toEqual([
      expect.stringMatching(/^error metadata\.annotations\["kgateway\.dev\/mcp-path"\] is "": write a path/),
      'error spec.clusterIP is 169.254.0.1, which is no address of a Service: write a routable one, or leave it out.',
    ]);
  });

  it('accepts every field of the API', () => {
    const port = { ...mcp, name: 'mcp', protocol: 'TCP', targetPort: 'http', nodePort: 30000 };
    const spec = { ports: [port], selector: { app: 'x' }, clusterIPs: [], ipFamilies: [], sessionAffinity: 'None' };
    expect(problems({ ...spec, internalTrafficPolicy: 'Cluster', trafficDistribution: 'PreferClose' })).toEqual([]);
  });

  it('has a warning about an unknown field, which drops nothing', () => {
    expect(problems({ cluserIP: 'None', ports: [{ ...mcp, appProtocl: 'x' }] })).toEqual([
      'warning spec.cluserIP is not a known field: write "clusterIP", the nearest known one, or remove it.',
      'warning spec.ports[0].appProtocl is not a known field: write "appProtocol", the nearest known one, or remove it.',
    ]);
  });

  it('that is headless has a warning about MCP ports with another target port', () => {
    const ports = [
      { ...mcp, targetPort: 80 },
      { ...mcp, port: 81, targetPort: 81 },
      { ...mcp, port: 82, targetPort: 'http' },
      { ...other, targetPort: 1 },
    ];
    expect(service({ ports, clusterIP: 'None' }).headlessPortWarnings).toEqual([8080]);
    expect(problems({ ports, clusterIP: 'None' })).toEqual([
      expect.stringMatching(/^warning spec\.ports\[0\]\.targetPort is 80/),
    ]);
    expect(service({ ports }).headlessPortWarnings).toEqual([]);
  });
});
