/** A ServiceAccount whose name was proven. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Who a stream belongs to. `unauthenticated` exists only where nobody is asked (`--xds-auth=none`): a server that asks
 * ends a stream that proves nothing, and never makes it one of these.
 */
export type Identity =
  | { readonly kind: 'unauthenticated' }
  | {
      readonly kind: 'service-account';
      readonly account: ServiceAccount;
      readonly proof: Proof;
      /** Milliseconds since the epoch; the stream ends then. */
      readonly expires: number;
    };

/**
 * How a ServiceAccount was proven. A token counts while its key is accepted, and a certificate while all the authorities
 * are, by their fingerprints, that its proof depends on.
 */
type Proof =
  | { readonly by: 'token'; readonly isKeyAccepted: () => boolean }
  | { readonly by: 'certificate'; readonly authorities: ReadonlySet<string> };

/** The result of looking at a credential. The messages are for the client, and contain no credential. */
export type Authentication =
  | { readonly kind: 'authenticated'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly code: 'UNAUTHENTICATED' | 'UNAVAILABLE'; readonly message: string };

/** The identity of every stream where nobody is asked for a proof. */
export const unauthenticated: Identity = { kind: 'unauthenticated' };

/** `<namespace>/<name>`, as in messages and logs. */
export function accountName({ namespace, name }: ServiceAccount): string {
  return `${namespace}/${name}`;
}

/** Refuses a credential that is missing or wrong. */
export function refused(message: string): Authentication {
  return { kind: 'refused', code: 'UNAUTHENTICATED', message };
}

const prefix = 'system:serviceaccount:';

/** Reads the user name of a ServiceAccount: `system:serviceaccount:<namespace>:<name>`. */
export function accountOfUser(user: string): ServiceAccount | undefined {
  if (!user.startsWith(prefix)) return undefined;
  const [namespace = '', name = '', ...rest] = user.slice(prefix.length).split(':');
  return rest.length === 0 ? serviceAccount(namespace, name) : undefined;
}

/** Returns a ServiceAccount if both names are ones that Kubernetes allows. */
export function serviceAccount(namespace: string, name: string): ServiceAccount | undefined {
  const valid =
    namespace.length <= 63 &&
    label.test(namespace) &&
    name.length <= 253 &&
    name.split('.').every((part) => label.test(part));
  return valid ? { namespace, name } : undefined;
}

const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
