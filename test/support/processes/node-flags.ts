import packageJson from '../../../package.json' with { type: 'json' };

const words = packageJson.scripts.gatehouse.split(' ');

/** The Node flags of `npm run gatehouse`, which every way to start the program repeats. */
export const nodeFlags: readonly string[] = words.slice(words.indexOf('node') + 1, words.indexOf('bin/gatehouse.js'));

/** The environment variables of `npm run gatehouse`. */
export const nodeEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  words.slice(0, words.indexOf('exec')).map((word) => [word.replace(/=.*/, ''), word.replace(/.*?=/, '')]),
);
