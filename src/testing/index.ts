/**
 * The testing kit: an engine in the test's own process, with an outbox to read, a clock to move, people to add and
 * faults to set; and the same over HTTP (`control/`). It runs the product's own engine code. Development and test
 * mode only: production takes no part of it.
 */
export type { ControlPerson, Message, MessageReader, NewPerson, Waiting } from '../devtools/index.ts'
export { NoMessageError } from '../devtools/index.ts'
export {
  type Answer,
  type AnswerBody,
  type AnswerField,
  type AnswerForm,
  type AnswerMessage,
  answerFrom,
  interactionCodeIn,
} from './answer.ts'
export {
  type DevEnvironment,
  type DevEnvironmentOptions,
  mary,
  samplePublicClient,
  sampleWebClient,
  startDevEnvironment,
} from './environment.ts'
export type { Faults } from './faults.ts'
export {
  type Kit,
  type KitClient,
  type KitClock,
  type KitOptions,
  type KitPeople,
  startEngine,
} from './kit.ts'
export type { SdkTokens, SignedIn, SignInOptions } from './sign-in.ts'
export {
  newVisitor,
  type Visitor,
  type VisitorClient,
  type VisitorOptions,
  type VisitorTarget,
} from './visitor.ts'
