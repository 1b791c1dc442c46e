/** What Kubernetes tells a gateway's pod about itself, by the names that its manifest uses. An empty value is an absent one. */
export interface GatewayEnvironment {
  readonly POD_NAME?: string | undefined;
  readonly POD_NAMESPACE?: string | undefined;
  readonly NODE_NAME?: string | undefined;
  readonly GW_NAME?: string | undefined;
  readonly INSTANCE_IP?: string | undefined;
}

/** The kinds of resources that a control plane sends. */
export type ResourceKind = 'Target' | 'Config';

/** How things stand with the control plane. Times are milliseconds since the epoch. */
export interface XdsStatus {
  /** Where the control plane is, by the configuration. */
  readonly address: string;
  readonly node: string;
  readonly connection:
    | { readonly state: 'connecting' | 'connected'; readonly since: number }
    | { readonly state: 'waiting'; readonly why: string; readonly retryAt: number }
    | { readonly state: 'not started' | 'stopped' };
  readonly kinds: readonly KindStatus[];
}

/** The same for one kind of resource. */
export interface KindStatus {
  readonly kind: ResourceKind;
  readonly held: number;
  /** Of the last response that was accepted as a whole; `null` before the first. */
  readonly ackedNonce: string | null;
  /** The `system_version_info` of that response. */
  readonly ackedVersion: string | null;
  /** The last response that was refused in part, until one is accepted. */
  readonly nack: { readonly nonce: string; readonly message: string } | null;
}
