import type { Flag } from '../flags.ts';

/** The flags of `keys new`. */
export const keysFlags: readonly Flag[] = [
  { name: 'directory', short: 'd', value: '<folder>', default: '.', help: 'where private-key.json and jwks.json go' },
];

/** The flags of `token`. */
export const tokenFlags: readonly Flag[] = [
  { name: 'key', value: '<file>', help: 'the private key, as gatehouse keys new writes it' },
  { name: 'claims', value: '<JSON>', default: '{}', help: 'the claims; iat and exp are added when they are missing' },
  { name: 'expires-in', value: '<duration>', default: '1h', help: 'time until the token expires' },
];
