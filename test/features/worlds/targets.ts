import { mcpPort, openGateway, serviceWith, together } from '../../support/worlds/manifests.ts';
import type { World } from './world.ts';

const served = (targets: Readonly<Record<string, string>>): World['serves'] => ({ 'default/gw': { targets } });
const at = (spec: string, ports = mcpPort(80)): string => `{ ${spec}, ports: [${ports}] }`;
const address = 'clusterIP: "10.0.0.1"';

/** Translation of Services: section 2. */
export const targetsWorlds: readonly World[] = [
  {
    clause: 'with an invalid first port no target has the short name',
    files: {
      't1.yaml': together(
        openGateway,
        serviceWith('default/tool', at(address, `{ port: "80", appProtocol: kgateway.dev/mcp }, ${mcpPort(81)}`)),
      ),
    },
    serves: served({ 'default/tool/81': '10.0.0.1:81' }),
  },
  {
    clause: 'an appProtocol that is no string is treated as declared',
    files: {
      't2.yaml': together(
        openGateway,
        serviceWith('default/tool', at(address, `{ port: 80, appProtocol: 5 }, ${mcpPort(81)}`)),
      ),
    },
    serves: served({ 'default/tool/81': '10.0.0.1:81' }),
  },
  {
    clause: 'a port of another transport is ignored',
    files: {
      't3.yaml': together(
        openGateway,
        serviceWith(
          'default/tool',
          at(address, `{ port: 80, protocol: UDP, appProtocol: kgateway.dev/mcp }, ${mcpPort(81)}`),
        ),
      ),
    },
    serves: served({ 'default/tool': '10.0.0.1:81' }),
  },
  {
    clause: 'a port number is served once',
    files: {
      't4.yaml': together(
        openGateway,
        serviceWith('default/tool', at(address, `{ port: 80, appProtocol: http }, ${mcpPort(80)}, ${mcpPort(82)}`)),
      ),
    },
    serves: served({ 'default/tool/82': '10.0.0.1:82' }),
  },
  {
    clause: 'a Service of type ExternalName is reached by that name',
    files: {
      't5.yaml': together(
        openGateway,
        serviceWith('default/tool', at(`type: ExternalName, externalName: mcp.example.com, ${address}`)),
        serviceWith('default/local', at('type: ExternalName, externalName: x.localhost')),
        serviceWith('default/number', at('type: ExternalName, externalName: "10.0.0.1"')),
        serviceWith('default/nowhere', at('type: ExternalName')),
      ),
    },
    serves: served({ 'default/tool': 'mcp.example.com:80' }),
  },
  {
    clause: 'a loopback, link-local, unspecified or multicast address is no target',
    files: {
      't6.yaml': together(
        openGateway,
        ...[
          '127.0.0.1',
          '169.254.169.254',
          '0.0.0.0',
          '224.0.0.1',
          '::1',
          '::ffff:127.0.0.1',
          'fe80::1',
          '::',
          'ff02::1',
          'tool',
        ].map((ip, n) => serviceWith(`default/tool-${n}`, at(`clusterIP: "${ip}"`))),
        serviceWith('default/tool', at('clusterIP: "fd00::1"')),
      ),
    },
    serves: served({ 'default/tool': '[fd00::1]:80' }),
  },
  {
    clause: 'a Service without an address is reached by its DNS name',
    files: {
      't7.yaml': together(
        openGateway,
        serviceWith('red/none', at('clusterIP: None')),
        serviceWith('red/empty', at('clusterIP: ""')),
        serviceWith('red/absent', at('type: ClusterIP')),
      ),
    },
    serves: served({
      'red/absent': 'absent.red.svc.cluster.local:80',
      'red/empty': 'empty.red.svc.cluster.local:80',
      'red/none': 'none.red.svc.cluster.local:80',
    }),
  },
  {
    clause: 'the first path annotation is used, and an invalid one drops only its Service',
    files: {
      't8.yaml': together(
        openGateway,
        serviceWith(
          'default/tool',
          at(address),
          'annotations: { kgateway.dev/mcp-path: /mcp, agentgateway.dev/mcp-path: /other }',
        ),
        serviceWith('default/second', at(address), 'annotations: { agentgateway.dev/mcp-path: /other }'),
        ...['""', 'mcp', '//mcp', '"/a b"', '/a?b', '"/a#b"', '"/a\\\\b"', '"/a\\tb"'].map((path, n) =>
          serviceWith(
            `default/bad-${n}`,
            at(address),
            `annotations: { kgateway.dev/mcp-path: ${path}, agentgateway.dev/mcp-path: /fine }`,
          ),
        ),
      ),
    },
    serves: served({ 'default/second': '10.0.0.1:80/other', 'default/tool': '10.0.0.1:80/mcp' }),
  },
  {
    clause: 'unreadable annotations drop the Service',
    files: {
      't9.yaml': together(
        openGateway,
        serviceWith('default/tool', at(address), 'annotations: { note: 5 }'),
        serviceWith('default/other', at(address), 'annotations: [5]'),
      ),
    },
    serves: {},
  },
  {
    clause: 'an annotation cannot rename a target',
    files: {
      't10.yaml': together(
        openGateway,
        serviceWith('default/tool', at(address), 'annotations: { kgateway.dev/mcp-target-name: other }'),
      ),
    },
    serves: served({ 'default/tool': '10.0.0.1:80' }),
  },
  {
    clause: 'protocols are compared exactly',
    files: {
      't11.yaml': together(
        openGateway,
        serviceWith(
          'default/tool',
          at(
            address,
            '{ port: 80, appProtocol: kgateway.dev/MCP }, { port: 81, appProtocol: agentgateway.dev/mcp-sse }',
          ),
        ),
      ),
    },
    serves: served({ 'default/tool': '10.0.0.1:81' }),
  },
  {
    clause: 'a name with a colon, a NUL or a slash is invalid',
    files: {
      't12.yaml': together(
        openGateway,
        ...['"a:b"', '"a\\0b"', '"a/b"', '"a.b"', 'A'].map((name) =>
          serviceWith('default/NAME', at(address)).replace('NAME', name),
        ),
      ),
    },
    serves: {},
  },
];
