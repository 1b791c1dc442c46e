#!/usr/bin/env node
// The command gatehouse. Plain JavaScript that older Nodes can read, so that they get a sentence instead of a stack.
import { existsSync } from 'node:fs';

// Only a checkout has src/. It runs its sources, because its dist/ may be of an older state.
const isCheckout = existsSync(new URL('../src/main.ts', import.meta.url));

if (Number.parseInt(process.versions.node, 10) < 24) {
  const remedy = isCheckout
    ? 'run npm ci, which installs one that npm start and npx gatehouse use'
    : 'install it from https://nodejs.org, or put it first on the PATH';
  fail(`needs Node 24 or newer, and ${process.execPath} is Node ${process.versions.node}: ${remedy}.`);
} else if (isCheckout) {
  await import('../src/main.ts').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/^Cannot find package/.test(error.message)) throw error;
    fail(`${error.message.replace(/ imported from.*/, '')}: run npm ci first, which installs the packages.`);
  });
} else {
  await import('../dist/main.js');
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`gatehouse: ${message}\n`);
  process.exitCode = 3;
}
