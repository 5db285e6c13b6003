// Package remoteplay wakes a PS5 or a PS4, puts it into rest mode, types on its
// on-screen keyboard and presses its buttons, with the Remote Play protocol.
//
//	once:     UDP 9295   SRC3, RES3                   the Link Device screen is open
//	          TCP 9295   POST …/rgst                  RegistKey, RP-Key
//	wake:     UDP 9302   WAKEUP                       no connection
//	standby:  TCP 9295   GET …/init                   closed by the console
//	          TCP 9295   GET …/ctrl, then frames      LOGIN, standby, acknowledgement
//	keys:     TCP 9295   the same up to LOGIN
//	          UDP 9297, 9296                          the stream
//
// All rules are in docs/protocol.md §10 to §14. Only buttons need a stream: see
// [Session.Keys] and §15.
//
// [Register] registers this program with a console and returns a
// [Registration], which must be stored: see [Registration.Reveal]. [New] makes
// a [Console] of it. The console's state comes from discovery alone, which is
// that of package ps4, so both packages share one socket:
//
//	network, err := ps4.Listen(ctx, nil)
//	...
//	console := remoteplay.New(network.Console(addr, ps4.Credential{}), registration, nil)
//	defer console.Close()
//	err = console.Standby(ctx)
//
// A session shows on the TV and may disconnect the controller of the user, so
// the package opens one only for a command, and closes it soon after.
//
// Errors are sentinels of this package and of package ps4, or a [ResultError]
// or an [InUseError]. Each is a [ps4.Error] with advice for the user.
package remoteplay
