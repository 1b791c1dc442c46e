/** Short manifests for the tests of this folder. */

export function serviceText(name: string, port = 80, namespace = 'default'): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  ports:
  - port: ${port}
    appProtocol: kgateway.dev/mcp
`;
}

export function namespaceText(name: string, labels = ''): string {
  return `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels: {${labels}}\n`;
}

/** Joins documents to one text. */
export function documents(...texts: readonly string[]): string {
  return texts.join('---\n');
}

export const broken = 'apiVersion: v1\nkind: [Service\n';

/** A mapping of this many keys. */
export function keysText(count: number): string {
  return Array.from({ length: count }, (_, at) => `k${at}:\n`).join('');
}
