/** The sources of resources: YAML and JSON files, or the API server of a cluster, both watched; and published keys. */
export { type ClusterSource, type ClusterSourceOptions, clusterSource } from './cluster/cluster-source.ts';
export { readClusterOnce } from './cluster/read-once.ts';
export {
  type FileSourceOptions,
  type FilesOnce,
  fileSource,
  readFilesOnce,
} from './files/file-source.ts';
export { type KeySource, keySource } from './jwks/key-source.ts';
