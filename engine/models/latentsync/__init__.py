"""LatentSync 1.5 and 1.6: lips that follow a voice, written anew from a specification of what upstream computes.

Paper: "LatentSync: Taming Audio-Conditioned Latent Diffusion Models for Lip Sync with SyncNet Supervision"
(arXiv 2412.09262). Each file names its section of the specification, which was measured on upstream's commit a229c39.

    sound ── mel ── whisper ── hearing ──► what each frame hears ──┐
    frames ── align ── warp ──► faces ── mask ── condition ────────┴► denoise ── sync ── crossfade ── paste

What upstream computes is the default of every function; what is better is an argument or a function of its own:
`rounded=True` (warp, paste), `overlap` (whisper, crossfade), `mouth.paste_mouth` for `paste.paste`.

Each part can be asked by itself, in upstream's order (a test runs these lines; R is 256 for 1.5 and 512 for 1.6):

    model = unet.UNet3D(**config)  # Constructor arguments under upstream's names.
    model.load_state_dict(state)  # Or, of a file: checkpoint.load_unet(file, R, config).
    predicted = model(sample, timestep, encoder_hidden_states)

    ear = whisper.encoder(dims, encoder_state)  # Or, of OpenAI's file: checkpoint.load_whisper(file).
    sound = mel.sound_of(pcm16)
    picture = mel.log_mel(sound)
    audio = hearing.chunks(whisper.features(ear, sound), fps, (2, 2))

    aligner = align.Aligner(R)  # One for each video.
    matrices = [aligner.matrix(align.three_points(landmarks106)) for landmarks106 in landmarks]
    crops = [warp.crop(frame, matrix, R) for frame, matrix in zip(frames, matrices)]
    faces = [warp.face(crop, R) for crop in crops]

    shown = [crossfade.ping_pong(number, len(faces)) for number in range(len(audio))]
    video = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2)[shown]
    given = condition.prepared(video)  # Of mask.keep_levels(R); condition.latent_mask(given) is the U-Net's.
    drawn = sync.Sync(model, vae, R, seed)  # Or, with every random number given: sync.synced.
    spans = [list(span) for span in crossfade.windows(len(audio))]
    made = [drawn.windows(video[None, span], audio[None, span], steps, guidance)[0] for span in spans]
    pasted = [paste.paste(frames[k], said, matrices[k]) for k, said in zip(shown, torch.cat(made))]
"""
