import type { Manifest } from '../support/worlds/translated-world.ts';

/** Builders of manifests as decoded YAML; names without a namespace are in `default`. */

const gatewayApi = 'gateway.networking.k8s.io/v1';

/** The GatewayClass `mcp` of our controller. */
export const gatewayClass: Manifest = gatewayClassOf('mcp', 'kgateway.dev/kgateway');

export function gatewayClassOf(name: string, controllerName: string, generation?: number): Manifest {
  return { apiVersion: gatewayApi, kind: 'GatewayClass', metadata: { name, generation }, spec: { controllerName } };
}

/** A Gateway of the class `mcp` with one MCP listener. `namespaces` is `allowedRoutes.namespaces` of the listener. */
export function gateway(name: string, namespaces: unknown, port = 8080): Manifest {
  const listeners = [{ name: 'mcp', protocol: 'kgateway.dev/mcp', port, allowedRoutes: { namespaces } }];
  return { apiVersion: gatewayApi, kind: 'Gateway', metadata: { name }, spec: { gatewayClassName: 'mcp', listeners } };
}

export function namespace(name: string, labels: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** A Service with one port. */
export function service(
  inNamespace: string,
  port: number,
  { name = 'tool', appProtocol = 'kgateway.dev/mcp' }: { name?: string; appProtocol?: string } = {},
): Manifest {
  const metadata = { name, namespace: inNamespace };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port, appProtocol }] } };
}

/** A policy that allows the subject to use one tool, or all of them (`*`). */
export function policy(name: string, fields: { gateway: string; tool: string; subject: string }): Manifest {
  const matches = [{ type: 'JWT', jwt: { claim: 'sub', value: fields.subject } }];
  return {
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { name },
    spec: {
      targetRefs: [{ name: fields.gateway }],
      rules: [{ matches, resource: { kind: 'tool', name: fields.tool } }],
    },
  };
}
