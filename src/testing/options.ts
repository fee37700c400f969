export { checkNames, checkNothing, checkOneOf, checkThat, type Names } from '../devtools/index.ts'
