/**
 * Manifests as text, short enough that a test shows the one unusual field. Arguments are inserted unquoted, so a test
 * may pass any YAML.
 */

/** Joins documents into one file. */
export function together(...documents: readonly string[]): string {
  return documents.map((text) => `${text.trim()}\n`).join('---\n');
}

/** A GatewayClass of this controller. */
export const mcpClass = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: mcp }
spec: { controllerName: kgateway.dev/kgateway }
`;

/** @param allowed `allowedRoutes.namespaces` of its only listener */
export function mcpGateway(key: string, allowed = 'from: All'): string {
  return gatewayWith(
    key,
    `[{ name: mcp, port: 8080, protocol: kgateway.dev/mcp, allowedRoutes: { namespaces: { ${allowed} } } }]`,
  );
}

export function gatewayWith(key: string, listeners: string): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: ${metadata(key)}
spec: { gatewayClassName: mcp, listeners: ${listeners} }
`;
}

/** An MCP server at port 80 of an address. */
export function mcpService(key: string, address = '10.0.0.1'): string {
  return serviceWith(key, `{ clusterIP: "${address}", ports: [${mcpPort(80)}] }`);
}

/** @param more fields of its metadata */
export function serviceWith(key: string, spec: string, more = ''): string {
  return `
apiVersion: v1
kind: Service
metadata: ${metadata(key, more)}
spec: ${spec}
`;
}

export function mcpPort(port: number): string {
  return `{ port: ${port}, appProtocol: kgateway.dev/mcp }`;
}

/** A policy that allows the subject one tool, prompt or resource on a Gateway of its namespace. */
export function policy(key: string, gateway: string, subject = 'me', resource = '{ kind: tool, name: "*" }'): string {
  return policyWith(key, `[{ name: ${gateway} }]`, `[{ matches: [${isSubject(subject)}], resource: ${resource} }]`);
}

export function policyWith(key: string, targetRefs: string, rules: string): string {
  return `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: ${metadata(key)}
spec: { targetRefs: ${targetRefs}, rules: ${rules} }
`;
}

export function isSubject(subject: string): string {
  return `{ type: JWT, jwt: { claim: sub, value: ${subject} } }`;
}

export function namespace(name: string, labels = '{}'): string {
  return `
apiVersion: v1
kind: Namespace
metadata: { name: ${name}, labels: ${labels} }
`;
}

function metadata(key: string, more = ''): string {
  const [namespace, name] = key.split('/');
  return `{ namespace: ${namespace}, name: ${name}${more && `, ${more}`} }`;
}

/** The Gateway `default/gw`, which allows routes from all namespaces, and its class. */
export const openGateway: string = together(mcpClass, mcpGateway('default/gw'));
