import type { Change } from '../../graph/model.ts';
import type { Gateway } from '../../resources/model.ts';

/** Which ServiceAccounts may be nodes of which Gateways, kept up to date commit by commit. */
export class Bindings {
  readonly #byGateway = new Map<string, ReadonlySet<string>>();
  /** Gateways by `<namespace>/<service account>`. */
  readonly #byAccount = new Map<string, Set<string>>();

  /** Returns the accounts of the Gateway's own namespace; undefined if the Gateway does not exist. */
  accountsOf(gateway: string): ReadonlySet<string> | undefined {
    return this.#byGateway.get(gateway);
  }

  gatewaysOf({ namespace, name }: { readonly namespace: string; readonly name: string }): readonly string[] {
    return [...(this.#byAccount.get(`${namespace}/${name}`) ?? [])];
  }

  /**
   * Takes the changes of the Gateways of a commit.
   *
   * @returns the Gateways whose streams may have lost them: an account was taken out, or the Gateway has appeared. Streams
   * of one that was deleted go on, so whoever has the next object of its name decides anew.
   */
  applied(changes: readonly Change<Gateway>[]): readonly string[] {
    const narrowed: string[] = [];
    for (const { key, after } of changes) {
      const known = this.#byGateway.get(key);
      const before = known ?? none;
      const now = after === undefined ? undefined : accountsOf(after);
      const appeared = known === undefined && now !== undefined;
      if (appeared || [...before].some((account) => now?.has(account) !== true)) narrowed.push(key);
      this.#replace(key, before, now);
    }
    return narrowed;
  }

  #replace(gateway: string, before: ReadonlySet<string>, now: ReadonlySet<string> | undefined): void {
    const namespace = gateway.slice(0, gateway.indexOf('/'));
    for (const account of before) {
      const own = this.#byAccount.get(`${namespace}/${account}`);
      own?.delete(gateway);
      if (own?.size === 0) this.#byAccount.delete(`${namespace}/${account}`);
    }
    if (now === undefined) {
      this.#byGateway.delete(gateway);
      return;
    }
    this.#byGateway.set(gateway, now);
    for (const account of now) {
      const own = this.#byAccount.get(`${namespace}/${account}`) ?? new Set();
      this.#byAccount.set(`${namespace}/${account}`, own.add(gateway));
    }
  }
}

const none: ReadonlySet<string> = new Set();

/** Without the annotation, the account has the name of the Gateway; an annotation that is invalid allows none. */
function accountsOf({ metadata, serviceAccounts }: Gateway): ReadonlySet<string> {
  if (serviceAccounts === undefined) return new Set([metadata.name]);
  return serviceAccounts.ok ? new Set(serviceAccounts.value) : none;
}
