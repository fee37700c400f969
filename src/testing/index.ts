/**
 * The testing kit: an engine in the process of the test, with an outbox to read, a clock to move, users to add and
 * faults to set; and the same over HTTP (the control API). It runs the code of the product. Development and test mode
 * only: production uses no part of it.
 */
export type {
  ControlPerson,
  DevEnvironment,
  DevEnvironmentOptions,
  EnrolledFactor,
  FactorToEnroll,
  Faults,
  KitFactors,
  Message,
  MessageReader,
  NewPerson,
  PasskeyToEnroll,
  PhoneToEnroll,
  QuestionToEnroll,
  SdkTokens,
  SignedIn,
  SignInOptions,
  TypedFactor,
  Waiting,
} from '../devtools/index.ts'
export {
  mary,
  NoMessageError,
  samplePublicClient,
  sampleWebClient,
  startDevEnvironment,
} from '../devtools/index.ts'
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
  type Kit,
  type KitClient,
  type KitClock,
  type KitOptions,
  type KitPeople,
  startEngine,
} from './kit.ts'
export {
  type NewAccount,
  newVisitor,
  type Visitor,
  type VisitorClient,
  type VisitorOptions,
  type VisitorTarget,
} from './visitor.ts'
