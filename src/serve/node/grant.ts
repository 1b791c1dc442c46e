import { accountName, type Identity, type ServiceAccount } from '../auth/identity.ts';
import type { IdentifiedBy } from '../model.ts';
import { type IdentifyRules, identify, type NodeClaims } from './identification.ts';

/** Which ServiceAccounts may be nodes of which Gateways, as of the last commit. */
export interface GatewayBindings {
  /** The names of ServiceAccounts of the Gateway's own namespace; undefined if the Gateway does not exist. */
  accountsOf(gateway: string): ReadonlySet<string> | undefined;
  /** The Gateways of which this account may be a node; at most two of them are needed. */
  gatewaysOf(account: ServiceAccount): readonly string[];
}

/** What a decision depends on, besides the claims. */
export interface GrantRules extends Omit<IdentifyRules, 'authenticated'> {
  readonly bindings: GatewayBindings;
}

/** A claim that the identity of the node does not allow. */
export interface Denied {
  readonly kind: 'refused';
  readonly code: 'PERMISSION_DENIED';
  readonly message: string;
  readonly account: ServiceAccount;
  /** Undefined if the node named none. */
  readonly gateway: string | undefined;
}

type Decision =
  | { readonly kind: 'granted'; readonly grant: Grant }
  | { readonly kind: 'refused'; readonly code: 'INVALID_ARGUMENT'; readonly message: string }
  | Denied;

/**
 * The permission to serve one Gateway to one stream. Snapshots are read with it alone, and {@link Grant.decide} is the
 * only way to one, so nothing is served without a decision.
 */
export class Grant {
  readonly identity: Identity;
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  readonly by: IdentifiedBy;

  private constructor(identity: Identity, gateway: string, by: IdentifiedBy) {
    this.identity = identity;
    this.gateway = gateway;
    this.by = by;
  }

  /** Decides which Gateway a node may be served: that which it claims, if its identity may claim it. */
  static decide(identity: Identity, claims: NodeClaims, { bindings, ...rules }: GrantRules): Decision {
    const authenticated = identity.kind !== 'unauthenticated';
    const claimed = identify(claims, { ...rules, authenticated });
    if (claimed.kind === 'refused') return claimed;
    if (identity.kind === 'unauthenticated') {
      // Nobody is asked who he is, and `nothing-named` is refused above.
      if (claimed.kind === 'gateway') return granted(new Grant(identity, claimed.gateway, claimed.by));
      return { kind: 'refused', code: 'INVALID_ARGUMENT', message: claimed.message };
    }
    const { account } = identity;
    if (claimed.kind === 'nothing-named') {
      const [only, another] = bindings.gatewaysOf(account);
      if (only !== undefined && another === undefined) return granted(new Grant(identity, only, 'identity'));
      return denied(account, undefined, noSingleGateway(account, only));
    }
    const { gateway, by } = claimed;
    if (mayServe(account, gateway, bindings)) return granted(new Grant(identity, gateway, by));
    return denied(account, gateway, notBound(account, gateway, bindings));
  }

  /**
   * Returns why this grant does not hold any more. That of a Gateway that was deleted holds: nothing is served but its
   * removal, and the next object of this name decides.
   */
  lapsed(bindings: GatewayBindings): string | undefined {
    const { identity, gateway } = this;
    if (identity.kind === 'unauthenticated' || bindings.accountsOf(gateway) === undefined) return undefined;
    return mayServe(identity.account, gateway, bindings) ? undefined : notBound(identity.account, gateway, bindings);
  }
}

/** The annotation of a Gateway that names its ServiceAccounts; without it, the account has the name of the Gateway. */
const accountAnnotation = 'kgateway.dev/service-account';

function mayServe({ namespace, name }: ServiceAccount, gateway: string, bindings: GatewayBindings): boolean {
  return gateway.startsWith(`${namespace}/`) && bindings.accountsOf(gateway)?.has(name) === true;
}

function granted(grant: Grant): Decision {
  return { kind: 'granted', grant };
}

function denied(account: ServiceAccount, gateway: string | undefined, message: string): Decision {
  return { kind: 'refused', code: 'PERMISSION_DENIED', message, account, gateway };
}

function notBound(account: ServiceAccount, gateway: string, bindings: GatewayBindings): string {
  const who = `ServiceAccount ${accountName(account)} may not be a node of Gateway ${gateway}`;
  const names = `the annotation ${accountAnnotation} of the Gateway names its accounts`;
  if (!gateway.startsWith(`${account.namespace}/`)) {
    return `${who}: it is of another namespace, and ${names}, all of them of its own namespace`;
  }
  if (bindings.accountsOf(gateway) === undefined) return `${who}: there is no such Gateway (${names})`;
  return `${who}: ${names}, by default the one of its own name`;
}

function noSingleGateway(account: ServiceAccount, one: string | undefined): string {
  const count =
    one === undefined ? 'of no Gateway' : 'of several Gateways, so the node has to name one (node.metadata.role)';
  return `ServiceAccount ${accountName(account)} may be a node ${count}; the annotation ${accountAnnotation} of a Gateway names its accounts, by default the one of its own name`;
}
