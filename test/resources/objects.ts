import type { KindName, Parsed, Problem, ResourceByKind } from '../../src/resources/model.ts';
import { AmbiguousScalar, decode } from '../../src/resources/resources.ts';

/** Builders of objects as a file gives them, and readers of the decoded ones. */

export type Mapping = Readonly<Record<string, unknown>>;

/** An unquoted `yes`, as a decoder gets it. */
export const AMBIGUOUS: AmbiguousScalar = new AmbiguousScalar('yes');

const apiVersions: Readonly<Record<KindName, string>> = {
  GatewayClass: 'gateway.networking.k8s.io/v1',
  GatewayParameters: 'gateway.kgateway.dev/v1alpha1',
  Gateway: 'gateway.networking.k8s.io/v1',
  Service: 'v1',
  Namespace: 'v1',
  MCPAuthPolicy: 'gateway.kgateway.dev/v1alpha1',
};

/** An object of the kind with a name and a namespace; `more` replaces top-level fields. */
export function object(kind: KindName, spec: unknown, more: Mapping = {}): Mapping {
  return { apiVersion: apiVersions[kind], kind, metadata: { name: 'it', namespace: 'here' }, spec, ...more };
}

/** Decodes an object whose frame must be valid. */
export function resource<K extends KindName>(kind: K, value: unknown): ResourceByKind[K] {
  const decoded = decode(kind, value);
  if (!decoded.readable) throw new Error(decoded.problems.map(({ message }) => message).join('\n'));
  return decoded.resource;
}

/** The problems of an object, one line each: `error spec.x is …`. */
export function problemsOf(kind: KindName, value: unknown): readonly string[] {
  return decode(kind, value).problems.map(line);
}

/** The value of a valid part, or the reason after `invalid: `. */
export function valueOrReason<T>(part: Parsed<T> | undefined): T | string | undefined {
  if (part === undefined) return undefined;
  return part.ok ? part.value : `invalid: ${part.reason}`;
}

/** Tells whether a part is valid. */
export function isValid(part: Parsed<unknown> | undefined): boolean {
  return part?.ok === true;
}

function line({ severity, message }: Problem): string {
  return `${severity} ${message}`;
}
