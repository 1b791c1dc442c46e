/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which API server to reach, and as whom. There is no way to spell "whatever context happens to be current" of
 * `$KUBECONFIG`: a control plane must not write to the cluster that somebody looked at last.
 */
export type ClusterAccess =
  /** From inside a pod, as its ServiceAccount. */
  | {
      readonly by: 'service account';
      readonly environment: Environment;
      /** Where the ServiceAccount is mounted; by default where Kubernetes mounts it. */
      readonly folder?: string;
    }
  /** A file that was named; without a context its `current-context`. */
  | { readonly by: 'kubeconfig'; readonly path: string; readonly context: string | undefined }
  /** A context of the files that `$KUBECONFIG` lists, or else of `~/.kube/config`. */
  | { readonly by: 'context'; readonly context: string; readonly environment: Environment };
