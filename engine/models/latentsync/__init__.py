"""LatentSync 1.5 and 1.6: lips that follow a voice, written anew from a specification of what upstream computes.

Paper: "LatentSync: Taming Audio-Conditioned Latent Diffusion Models for Lip Sync with SyncNet Supervision"
(arXiv 2412.09262). Each file names its section of the specification, which was measured on upstream's commit a229c39.

    sound ── mel ── whisper ── hearing ──► what each frame hears ──┐
    frames ── align ── warp ──► faces ── mask ── condition ────────┴► denoise ── sync ── crossfade ── paste

What upstream computes is the default of every function; what is better is an argument or a function of its own:
`rounded=True` (warp, paste), `overlap` (whisper, crossfade), `mouth.paste_mouth` for `paste.paste`.
"""
