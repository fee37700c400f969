/**
 * Loaded into a child process before its own code (`node --import`): the child ends when the one that started it is
 * gone, however that went. A killed parent sends no signal, but the channel to it closes.
 */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// The channel is not a reason to stay.
process.channel?.unref()
