import { existsSync, readFileSync } from 'node:fs';
import type { PolicyRule } from './deployed.ts';

/**
 * One line for each right: verb, resource with its subresource and group, and the name that it is narrowed to, such as
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

/** A request that an API server wrote down, as far as it is about a resource. */
export interface AuditedRequest {
  readonly verb: string;
  readonly allowed: boolean;
  /** The right that it takes, and that right narrowed to the name that it is about. */
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

/** The flags by which an API server writes down who asks for what. */
export function auditFlags(policy: string, log: string): readonly string[] {
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, '--audit-log-mode=blocking'];
}

/** Without bodies, and a watch as soon as it begins. */
export const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{ level: Metadata }]
`;

/** What a user asked for until now. */
export function auditedRequests(log: string, username: string): readonly AuditedRequest[] {
  if (!existsSync(log)) return [];
  // The last line may be half written.
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
