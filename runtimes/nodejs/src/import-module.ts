/**
 * `import()` that stays one: this package is compiled to CommonJS, where the compiler would turn it into `require`.
 * Takes a file URL or a builtin's name.
 */
// eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is a constant
export const importModule = new Function('specifier', 'return import(specifier)') as (url: string) => Promise<unknown>
