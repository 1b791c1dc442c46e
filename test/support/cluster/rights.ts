import { existsSync, readFileSync } from 'node:fs';
import type { PolicyRule } from './deployed.ts';

/**
 * One line for each right: verb, resource with its subresource and group, and the resource name if restricted, such as
 * `patch gateways/status.gateway.networking.k8s.io` or `get leases.coordination.k8s.io/gatehouse-leader`. Sorted.
 */
export function rights(rules: readonly PolicyRule[]): readonly string[] {
  return rules
    .flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          resourceNames.flatMap((name) => verbs.map((verb) => right(verb, resource, group, name))),
        ),
      ),
    )
    .sort();
}

/** A request of the audit log that concerns a resource. */
export interface AuditedRequest {
  readonly verb: string;
  readonly allowed: boolean;
  /** The right that it requires, and that right restricted to the resource name. */
  readonly takes: readonly string[];
}

interface AuditLine {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly apiGroup?: string;
    readonly name?: string;
  };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The audit flags of the API server. */
export function auditFlags(policy: string, log: string): readonly string[] {
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, '--audit-log-mode=blocking'];
}

/** An audit policy without bodies, which logs a watch when it starts. */
export const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{ level: Metadata }]
`;

/** The audited requests of a user. */
export function auditedRequests(log: string, username: string): readonly AuditedRequest[] {
  if (!existsSync(log)) return [];
  // The last line may be incomplete.
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines
    .map((line): AuditLine => JSON.parse(line))
    .filter(({ user, objectRef }) => user.username === username && objectRef?.resource !== undefined)
    .map(({ verb, objectRef: { resource = '', subresource, apiGroup = '', name } = {}, annotations }) => {
      const what = subresource === undefined ? resource : `${resource}/${subresource}`;
      return {
        verb,
        allowed: annotations?.['authorization.k8s.io/decision'] === 'allow',
        takes: [right(verb, what, apiGroup), right(verb, what, apiGroup, name)],
      };
    });
}

function right(verb: string, resource: string, group: string, name?: string): string {
  return `${verb} ${resource}${group && `.${group}`}${name === undefined ? '' : `/${name}`}`;
}
