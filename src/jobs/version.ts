/** The library's version, as instances tell it to the store. A test compares it with package.json. */
export const VERSION = "0.1.0";
