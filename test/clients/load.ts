/** A package of this folder, named as in package.json beside this file, as an app on a server gets it by `import`. */
export const load = (name: string): Promise<unknown> => import(name)
