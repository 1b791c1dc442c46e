import fc from 'fast-check';

/*
 * Properties try the same cases in each run of the suite, so that a change fails by what it changed, and not by chance.
 * With `PROPERTY_SEED` they try others: `PROPERTY_SEED=random npm run test:fast`, or the seed that a failure printed.
 */
const asked = process.env['PROPERTY_SEED'];
if (asked !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(asked ?? 1) });
