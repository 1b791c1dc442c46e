import {
  gatewayWith,
  mcpClass,
  mcpGateway,
  mcpService,
  namespace,
  policy,
  together,
} from '../../support/worlds/manifests.ts';
import type { World } from './world.ts';

const here = { 'default/tool': '10.0.0.1:80' };
const there = { 'red/tool': '10.0.0.2:80' };
const tools = together(mcpService('default/tool'), mcpService('red/tool', '10.0.0.2'));
const selecting = (selector: string): string => mcpGateway('default/gw', `from: Selector, selector: ${selector}`);
const mcp = 'protocol: kgateway.dev/mcp';
const all = 'allowedRoutes: { namespaces: { from: All } }';
const allow = { 'default.p': ['tool * when sub is me'] };

/** Accepted Gateways and the namespaces of their targets: sections 1 and 2. */
export const gatewaysWorlds: readonly World[] = [
  {
    clause: 'a Gateway serves its own namespace by default',
    files: {
      'g1.yaml': together(
        mcpClass,
        gatewayWith('default/gw', `[{ name: mcp, port: 80, ${mcp} }]`),
        gatewayWith('red/gw', `[{ name: mcp, port: 80, ${mcp} }]`),
        tools,
      ),
    },
    serves: { 'default/gw': { targets: here }, 'red/gw': { targets: there } },
  },
  {
    clause: 'a selector selects by the labels of Namespaces',
    files: {
      'g2.yaml': together(
        mcpClass,
        selecting('{ matchLabels: { team: red } }'),
        namespace('red', '{ team: red }'),
        tools,
      ),
    },
    serves: { 'default/gw': { targets: there } },
  },
  {
    clause: 'a namespace without a Namespace object has only the label of its name',
    files: { 'g3.yaml': together(mcpClass, selecting('{ matchLabels: { kubernetes.io/metadata.name: red } }'), tools) },
    serves: { 'default/gw': { targets: there } },
  },
  {
    clause: 'the label of the name is never read from a manifest',
    files: {
      'g4.yaml': together(
        mcpClass,
        selecting('{ matchLabels: { kubernetes.io/metadata.name: red } }'),
        namespace('default', '{ kubernetes.io/metadata.name: red }'),
        tools,
      ),
    },
    serves: { 'default/gw': { targets: there } },
  },
  {
    clause: 'an unreadable Namespace matches no selector',
    files: {
      'g5.yaml': together(
        mcpClass,
        selecting('{ matchExpressions: [{ key: team, operator: DoesNotExist }] }'),
        namespace('red', '[team]'),
        tools,
      ),
    },
    serves: { 'default/gw': { targets: here } },
  },
  {
    clause: 'with a Namespace of unreadable name no namespace without a Namespace object matches a selector',
    files: {
      'g6.yaml': together(mcpClass, selecting('{}'), namespace('Not_A_Name', '{}'), namespace('default'), tools),
    },
    serves: { 'default/gw': { targets: here } },
  },
  {
    clause: 'with a file that never parsed no namespace without a Namespace object matches a selector',
    files: { 'g7-a.yaml': together(mcpClass, selecting('{}'), namespace('red'), tools), 'g7-b.yaml': '"' },
    serves: { 'default/gw': { targets: there } },
  },
  {
    clause: 'an object with a merge key may be any Namespace',
    files: {
      'g17.yaml': together(
        mcpClass,
        selecting('{}'),
        namespace('red'),
        tools,
        '{ apiVersion: v1, kind: List, items: [{ <<: { kind: Namespace }, metadata: { name: default } }] }',
      ),
    },
    serves: { 'default/gw': { targets: there } },
  },
  {
    clause: 'All needs no labels, also with a file that never parsed',
    files: { 'g8-a.yaml': together(mcpClass, mcpGateway('default/gw'), tools), 'g8-b.yaml': '"' },
    serves: { 'default/gw': { targets: { ...here, ...there } } },
  },
  {
    clause: 'a misspelt matchLabels selects nothing, and rules are still sent',
    files: {
      'g9.yaml': together(mcpClass, selecting('{ matchLabel: { team: red } }'), policy('default/p', 'gw'), tools),
    },
    serves: { 'default/gw': { configs: allow } },
  },
  {
    clause: 'a null in a field that restricts drops the listener',
    files: {
      'g10.yaml': together(
        mcpClass,
        gatewayWith('default/gw', `[{ name: mcp, port: 80, ${mcp}, allowedRoutes: null }]`),
        tools,
      ),
    },
    serves: {},
  },
  {
    clause: 'a listener of another protocol does not matter',
    files: {
      'g11.yaml': together(
        mcpClass,
        gatewayWith('default/gw', `[{ name: web, port: 80, protocol: HTTP }, { name: mcp, port: 80, ${mcp} }]`),
        tools,
      ),
    },
    serves: { 'default/gw': { targets: here } },
  },
  {
    clause: 'MCP listeners on one port are both refused',
    files: {
      'g12.yaml': together(
        mcpClass,
        gatewayWith('default/gw', `[{ name: a, port: 80, ${mcp} }, { name: b, port: 80, ${mcp}, ${all} }]`),
        policy('default/p', 'gw'),
        tools,
      ),
    },
    serves: { 'default/gw': { configs: allow } },
  },
  {
    clause: 'the namespaces of listeners are united',
    files: {
      'g13.yaml': together(
        mcpClass,
        gatewayWith(
          'default/gw',
          `[{ name: a, port: 80, ${mcp} }, { name: b, port: 81, ${mcp}, allowedRoutes: { namespaces: { from: Selector, selector: { matchLabels: { team: red } } } } }]`,
        ),
        namespace('red', '{ team: red }'),
        together(tools, mcpService('blue/tool', '10.0.0.3')),
      ),
    },
    serves: { 'default/gw': { targets: { ...here, ...there } } },
  },
  {
    clause: 'a Gateway of a class of another controller is not served',
    files: {
      'g14.yaml': together(
        mcpClass.replace('kgateway.dev/kgateway', 'example.com/other'),
        mcpGateway('default/gw'),
        policy('default/p', 'gw'),
        tools,
      ),
    },
    serves: {},
  },
  {
    clause: 'a Gateway of a class that is not accepted gets no resources',
    files: {
      'g15.yaml': together(
        mcpClass.replace(
          'kgateway.dev/kgateway',
          'kgateway.dev/kgateway, parametersRef: { group: gateway.kgateway.dev, kind: GatewayParameters, name: gone, namespace: default }',
        ),
        mcpGateway('default/gw'),
        policy('default/p', 'gw'),
        tools,
      ),
    },
    serves: {},
  },
  {
    clause: 'an object that is being deleted is used until it is gone',
    files: {
      'g16.yaml': together(
        mcpClass,
        mcpGateway('default/gw').replace('name: gw', 'name: gw, deletionTimestamp: "2026-01-01T00:00:00Z"'),
        mcpService('default/tool'),
      ),
    },
    serves: { 'default/gw': { targets: here } },
  },
];
