import packageJson from '../../../package.json' with { type: 'json' };

const words = packageJson.scripts.gatehouse.split(' ');

/** What the program gives to Node wherever it is started: `npm run gatehouse` says it first. */
export const nodeFlags: readonly string[] = words.slice(words.indexOf('node') + 1, words.indexOf('src/main.ts'));

/** The environment that goes with them. */
export const nodeEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  words.slice(0, words.indexOf('exec')).map((word) => [word.replace(/=.*/, ''), word.replace(/.*?=/, '')]),
);
