/** Values that Kubernetes passes to a gateway's pod, by the names of its manifest. An empty value counts as absent. */
export interface GatewayEnvironment {
  readonly POD_NAME?: string | undefined;
  readonly POD_NAMESPACE?: string | undefined;
  readonly NODE_NAME?: string | undefined;
  readonly GW_NAME?: string | undefined;
  readonly INSTANCE_IP?: string | undefined;
}

/** The kinds of resources that a control plane sends. */
export type ResourceKind = 'Target' | 'Config';

/** The state of the xDS client, as the admin pages show it. Times are RFC 3339, in UTC. */
export interface XdsStatus {
  /** The address of the control plane in the configuration. */
  readonly address: string;
  /** The id of this node. */
  readonly node: string;
  readonly connection:
    | { readonly state: 'connecting' | 'connected'; readonly since: string }
    | { readonly state: 'waiting'; readonly why: string; readonly retryAt: string }
    | { readonly state: 'not started' | 'stopped' };
  readonly kinds: readonly KindStatus[];
  /** What is in force from before the start; `null` when there is nothing. */
  readonly lastGood: LastGoodStatus | null;
}

/** Resources that were read from disk at the start, and that the control plane has not confirmed since. */
export interface LastGoodStatus {
  readonly kinds: readonly ResourceKind[];
  /** When the control plane had confirmed them last. */
  readonly savedAt: string;
  readonly ageSeconds: number;
  /** When they are given up, unless the control plane answers. */
  readonly droppedAt: string;
}

/** The state of one kind of resource. */
export interface KindStatus {
  readonly kind: ResourceKind;
  /** The number of resources in force. */
  readonly held: number;
  /** The nonce of the last response that was ACKed; `null` before the first. */
  readonly ackedNonce: string | null;
  /** The `system_version_info` of that response. */
  readonly ackedVersion: string | null;
  /** The last response, if it was NACKed. */
  readonly nack: { readonly nonce: string; readonly message: string } | null;
}
