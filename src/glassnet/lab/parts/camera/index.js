// The camera of this machine, for whoever shows what it sees.
export const hasCamera = !!navigator.mediaDevices?.getUserMedia;

// What it sees, or null and why there is nothing.
export async function openCamera() {
  try {
    return [await navigator.mediaDevices.getUserMedia({ video: { width: 480 } }), ""];
  } catch (error) {
    const denied = error.name === "NotAllowedError";
    return [null, denied ? "The browser may not use the camera; allow it beside the address." : "There is no camera."];
  }
}

export function closeCamera(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

// The square in the middle of what a video shows now; null before it shows anything.
export function takeSquare(video, size) {
  if (!video?.videoWidth) return null;
  const side = Math.min(video.videoWidth, video.videoHeight);
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const [x, y] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
  canvas.getContext("2d").drawImage(video, x, y, side, side, 0, 0, size, size);
  return canvas;
}
