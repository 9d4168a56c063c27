/** The folder of Payrun's own package: this file lies one folder below it, among the sources as well as built. */
export const packageRoot = new URL('../', import.meta.url);

/** Whether this is the published code and not the sources of a checkout. */
export const isBuilt = import.meta.url.endsWith('.js');
