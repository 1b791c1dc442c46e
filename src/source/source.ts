/** Where resources come from: YAML and JSON files that are watched. */
export { type FileSourceOptions, fileSource } from './file-source.ts';
