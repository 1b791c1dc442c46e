import {
  isSubject,
  mcpClass,
  mcpGateway,
  mcpPort,
  mcpService,
  openGateway,
  policy,
  policyWith,
  serviceWith,
  together,
} from '../../support/worlds/manifests.ts';
import type { World } from './world.ts';

const served = (targets: Readonly<Record<string, string>>): World['serves'] => ({ 'default/gw': { targets } });
const one = { 'default/tool': '10.0.0.1:80' };

/** Reading files: section 0. */
export const filesWorlds: readonly World[] = [
  {
    clause: 'the definition in the first file is used',
    files: {
      'f1-gw.yaml': openGateway,
      'f1-s.yaml': mcpService('default/tool'),
      'f1-t.yaml': mcpService('default/tool', '10.0.0.2'),
    },
    serves: served(one),
  },
  {
    clause: 'files are ordered by the bytes of their names',
    files: {
      'f2-gw.yaml': openGateway,
      'f2-a.yaml': mcpService('default/tool', '10.0.0.2'),
      'f2-Z.yaml': mcpService('default/tool'),
    },
    serves: served(one),
  },
  {
    clause: 'the first document of a file is used',
    files: { 'f3.yaml': together(openGateway, mcpService('default/tool'), mcpService('default/tool', '10.0.0.2')) },
    serves: served(one),
  },
  {
    clause: 'a copy with an unreadable frame is ignored',
    files: {
      'f4-a.yaml': together(openGateway, serviceWith('default/tool', '[]')),
      'f4-b.yaml': mcpService('default/tool'),
    },
    serves: served(one),
  },
  {
    clause: 'a List stands for its items',
    files: {
      'f5.yaml': openGateway,
      'f5-list.json': JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'tool' },
            spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, appProtocol: 'kgateway.dev/mcp' }] },
          },
        ],
      }),
    },
    serves: served(one),
  },
  {
    clause: 'only .yaml, .yml and .json files are manifests, and no hidden files',
    files: {
      'f6.yml': together(openGateway, mcpService('default/tool')),
      'f6.txt': mcpService('default/text'),
      'f6.yaml.swp': mcpService('default/swap'),
      '.f6.yaml': mcpService('default/hidden'),
    },
    serves: served(one),
  },
  {
    clause: 'a Gateway of another apiVersion is ignored',
    files: {
      'f7.yaml': together(
        mcpClass,
        mcpGateway('default/gw').replace('io/v1', 'io/v1beta1'),
        mcpService('default/tool'),
      ),
    },
    serves: {},
  },
  {
    clause: 'other kinds are ignored',
    files: {
      'f8.yaml': together(
        openGateway,
        mcpService('default/tool'),
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: 7\n',
      ),
    },
    serves: served(one),
  },
  {
    clause: 'a syntax error drops its whole file, and no other',
    files: {
      'f9-a.yaml': together(openGateway, mcpService('default/tool')),
      'f9-b.yaml': together(mcpService('default/other', '10.0.0.2'), 'kind: ['),
    },
    serves: served(one),
  },
  {
    clause: 'a duplicate key drops its whole file',
    files: {
      'f10-a.yaml': together(openGateway, mcpService('default/tool')),
      'f10-b.yaml': together(mcpService('default/other'), 'kind: Service\nkind: Service\n'),
    },
    serves: served(one),
  },
  {
    clause: 'a port that differs between YAML 1.1 and 1.2 is invalid',
    files: {
      'f11.yaml': together(
        openGateway,
        serviceWith(
          'default/octal',
          '{ clusterIP: "10.0.0.9", ports: [{ port: 010, appProtocol: kgateway.dev/mcp }] }',
        ),
        mcpService('default/tool'),
      ),
    },
    serves: served(one),
  },
  {
    clause: 'an unquoted yes is no string, a quoted one is',
    files: {
      'f12.yaml': together(
        openGateway,
        policyWith(
          'default/p',
          '[{ name: gw }]',
          `[{ matches: [${isSubject('yes')}, ${isSubject('"yes"')}], resource: { kind: tool, name: "*" } }]`,
        ),
      ),
    },
    serves: { 'default/gw': { configs: { 'default.p': ['tool * when sub is yes'] } } },
  },
  {
    clause: 'an object without a namespace is in the namespace default',
    files: {
      'f13.yaml': together(openGateway, mcpService('default/tool'), policy('default/p', 'gw')).replaceAll(
        'namespace: default, ',
        '',
      ),
    },
    serves: { 'default/gw': { targets: one, configs: { 'default.p': ['tool * when sub is me'] } } },
  },
  {
    clause: 'aliases stand for their anchors',
    files: {
      'f14.yaml': together(
        openGateway,
        serviceWith(
          'default/tool',
          `{ clusterIP: &address "10.0.0.1", externalName: *address, ports: [&port ${mcpPort(80)}] }`,
        ),
      ),
    },
    serves: served(one),
  },
  {
    clause: 'the merge key of YAML 1.1 is invalid, and the object keeps its name',
    files: {
      'f15.yaml': together(
        openGateway,
        serviceWith(
          'default/tool',
          `{ clusterIP: "10.0.0.1", selector: &mcp { appProtocol: kgateway.dev/mcp }, ports: [{ <<: *mcp, port: 80 }, ${mcpPort(81)}] }`,
        ),
      ),
    },
    serves: served({ 'default/tool/81': '10.0.0.1:81' }),
  },
];
